use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event]
pub struct Rolled<T> {
    /// The total.
    pub total: T,
}

fn main() {}
