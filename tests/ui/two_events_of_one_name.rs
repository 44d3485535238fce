use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event]
pub struct Rolled {
    /// The total.
    pub total: u32,
}

/// Other dice were rolled.
#[event(name = "rolled")]
pub struct OthersRolled {
    /// The total.
    pub total: u32,
}

fn main() {}
