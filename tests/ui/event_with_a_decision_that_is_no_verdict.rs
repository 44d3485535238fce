use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// May these dice be rolled?
#[event(decision = bool)]
pub struct Rolling {
    /// How many.
    pub dice: u32,
}

fn main() {}
