use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task(on_terminal = told)]
async fn shuffle() -> u32 {
    4
}

/// Tells of it.
#[task]
async fn told(
    /// What to tell.
    text: String,
) -> usize {
    text.len()
}

fn main() {}
