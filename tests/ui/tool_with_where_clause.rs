use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll() -> u32
where
    u32: Copy,
{
    4
}

fn main() {}
