use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll() -> u32 {
    4
}

/// Rolls other dice.
#[tool(name = "roll")]
fn roll_others() -> u32 {
    5
}

fn main() {}
