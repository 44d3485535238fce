use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task(retries = "three", backoff = "soon", deadline = 5, concurrency = 0, when_disabled = stop)]
async fn shuffle() -> u32 {
    4
}

fn main() {}
