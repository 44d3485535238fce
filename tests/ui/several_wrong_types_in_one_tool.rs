use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// A die.
struct Die;

/// A cup.
struct Cup;

/// What was rolled.
struct Roll;

/// Rolls dice.
#[tool]
fn roll(
    cup: &Cup,
    /// The die.
    die: Die,
) -> Roll {
    let _ = (cup, die);
    Roll
}

fn main() {}
