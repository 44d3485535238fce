use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice in a cup.
pub struct Cup;

#[init]
fn start(cup: &Cup) -> Cup {
    let _ = cup;
    Cup
}

fn main() {}
