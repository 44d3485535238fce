use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[init]
fn start() -> Games {
    Games
}

fn main() {}
