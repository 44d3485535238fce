use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

fn apply(_: &mut Rolling, _: &Gate) {}

/// May these dice be rolled?
#[event(decision = Approval, revise = apply)]
pub struct Rolling {
    /// How many.
    pub dice: u32,
}

fn main() {}
