use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// What was rolled.
struct Roll {
    total: u32,
}

/// Rolls dice.
#[tool]
fn roll() -> Roll {
    Roll { total: 4 }
}

fn main() {}
