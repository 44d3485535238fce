use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(
    /// How many sides.
    #[arg(range = 1..="6")]
    sides: u32,
) -> u32 {
    sides
}

fn main() {}
