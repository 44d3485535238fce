use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool(deadline = "soon")]
fn roll() -> u32 {
    4
}

fn main() {}
