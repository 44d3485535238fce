use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// A die.
#[derive(Deserialize)]
struct Die {
    sides: u32,
}

/// Rolls a die.
#[tool]
fn roll(
    /// The die.
    die: Die,
) -> u32 {
    die.sides
}

fn main() {}
