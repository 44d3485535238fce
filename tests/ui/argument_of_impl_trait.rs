use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(
    /// How many sides.
    sides: impl Into<u32>,
) -> u32 {
    sides.into()
}

fn main() {}
