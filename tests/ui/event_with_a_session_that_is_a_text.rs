use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event]
pub struct Rolled {
    /// Where.
    pub session: String,
}

fn main() {}
