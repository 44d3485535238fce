use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task(name = "shuffle")]
async fn one() -> u32 {
    4
}

/// Shuffles the cards.
#[task]
async fn shuffle() -> u32 {
    5
}

fn main() {}
