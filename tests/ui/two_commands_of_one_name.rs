use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[command]
fn roll() -> u32 {
    4
}

/// Rolls other dice.
#[command(name = "roll")]
fn roll_others() -> u32 {
    5
}

fn main() {}
