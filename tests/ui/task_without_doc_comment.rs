use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[task]
async fn shuffle() -> u32 {
    4
}

fn main() {}
