use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

fn apply(_: &mut Rolled, _: &Approval) {}

/// Dice were rolled.
#[event(revise = apply)]
pub struct Rolled {
    /// The total.
    pub total: u32,
}

fn main() {}
