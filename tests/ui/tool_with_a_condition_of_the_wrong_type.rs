use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

fn is_night() -> bool {
    true
}

/// Rolls dice.
#[tool(when = is_night)]
fn roll() -> u32 {
    4
}

fn main() {}
