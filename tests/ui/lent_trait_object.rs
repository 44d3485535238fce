use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll(random: &dyn std::fmt::Debug) -> u32 {
    let _ = random;
    4
}

fn main() {}
