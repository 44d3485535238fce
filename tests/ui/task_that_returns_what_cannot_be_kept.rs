use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

pub struct Deck;

/// Shuffles the cards.
#[task]
async fn shuffle() -> Deck {
    Deck
}

fn main() {}
