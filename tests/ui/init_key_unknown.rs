use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[init(name = "start")]
fn start() -> u32 {
    4
}

fn main() {}
