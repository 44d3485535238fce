use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice in a cup.
pub struct Cup;

#[init(name = "fill")]
fn fill() -> Cup {
    Cup
}

/// Rolls dice.
#[tool]
fn roll(cup: &Cup) -> u32 {
    let _ = cup;
    4
}

fn main() {}
