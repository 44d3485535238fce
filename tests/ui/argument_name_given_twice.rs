use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Adds two numbers.
#[tool]
fn add(
    /// The first.
    left: u32,
    /// The second.
    #[arg(name = "left")]
    right: u32,
) -> u32 {
    left + right
}

fn main() {}
