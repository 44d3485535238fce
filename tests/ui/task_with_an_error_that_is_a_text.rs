use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task]
async fn shuffle() -> Result<u32, String> {
    Err("they fell down".to_owned())
}

fn main() {}
