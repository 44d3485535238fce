use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// No dice.
struct NoDice;

/// Rolls dice.
#[tool]
fn roll() -> Result<u32, NoDice> {
    Err(NoDice)
}

fn main() {}
