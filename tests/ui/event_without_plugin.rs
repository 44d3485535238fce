use nekro_core::prelude::*;

/// Dice were rolled.
#[event]
pub struct Rolled {
    /// Where.
    pub session: SessionId,
    /// The total.
    pub total: u32,
}

fn main() {}
