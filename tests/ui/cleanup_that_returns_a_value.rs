use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[cleanup]
fn stop() -> u32 {
    4
}

fn main() {}
