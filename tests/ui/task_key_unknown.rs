use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task(retry = 3)]
async fn shuffle() -> u32 {
    4
}

fn main() {}
