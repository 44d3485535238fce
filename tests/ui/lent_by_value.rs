use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(
    /// Where the numbers come from.
    random: Random,
) -> u32 {
    random.between(1..=6)
}

fn main() {}
