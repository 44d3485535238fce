use nekro_core::prelude::*;

/// Shuffles the cards.
#[task]
async fn shuffle() -> u32 {
    4
}

fn main() {}
