use nekro_core::prelude::*;

/// Knows the language.
#[plugin]
pub struct Tongue;

/// Returns the language.
#[tool]
fn language(
    env: &Env,
    /// What to return without one.
    otherwise: String,
) -> Result<String> {
    Ok(env.get("LANG")?.unwrap_or(otherwise))
}

fn main() {}
