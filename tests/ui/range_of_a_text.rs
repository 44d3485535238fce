use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(
    /// Dice notation.
    #[arg(range = 1..=6)]
    notation: String,
) -> usize {
    notation.len()
}

fn main() {}
