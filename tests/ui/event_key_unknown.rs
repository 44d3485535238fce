use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event(decsion = Approval)]
pub struct Rolled {
    /// The total.
    pub total: u32,
}

fn main() {}
