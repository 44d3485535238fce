use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[prompt]
fn rules() -> u32 {
    4
}

fn main() {}
