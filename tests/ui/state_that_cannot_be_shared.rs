use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[init]
fn start() -> std::cell::Cell<u32> {
    std::cell::Cell::new(4)
}

fn main() {}
