use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event]
pub enum Rolled {
    /// One.
    One,
}

fn main() {}
