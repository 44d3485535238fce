use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(notation: &String) -> u32 {
    notation.len() as u32
}

fn main() {}
