use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[command]
fn roll(sides: u32) -> u32 {
    sides
}

fn main() {}
