use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(#[arg(default)] random: &Random) -> u32 {
    random.between(1..=6)
}

fn main() {}
