use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll() -> Result<u32, String> {
    Err("no dice".to_owned())
}

fn main() {}
