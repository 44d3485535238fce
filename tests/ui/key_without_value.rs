use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool(name)]
fn roll() -> u32 {
    4
}

fn main() {}
