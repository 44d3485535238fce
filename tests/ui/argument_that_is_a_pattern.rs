use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Adds two numbers.
#[tool]
fn add(
    /// The numbers.
    (left, right): (u32, u32),
) -> u32 {
    left + right
}

fn main() {}
