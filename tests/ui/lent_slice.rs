use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Adds numbers.
#[tool]
fn add(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}

fn main() {}
