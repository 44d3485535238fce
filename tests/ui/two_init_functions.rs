use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[init]
fn first() -> u32 {
    1
}

#[init]
fn second() -> String {
    String::new()
}

fn main() {}
