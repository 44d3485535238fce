use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// A die.
#[derive(Deserialize, JsonSchema)]
struct Die {
    sides: u32,
}

/// Rolls a die.
#[tool]
fn roll(
    /// The die.
    #[arg(default)]
    die: Die,
) -> u32 {
    die.sides
}

fn main() {}
