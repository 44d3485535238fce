use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
fn roll<T: Into<u32>>(
    /// How many sides.
    sides: T,
) -> u32 {
    sides.into()
}

fn main() {}
