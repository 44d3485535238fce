use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
struct Roll;

fn main() {}
