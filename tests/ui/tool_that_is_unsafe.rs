use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
unsafe fn roll() -> u32 {
    4
}

fn main() {}
