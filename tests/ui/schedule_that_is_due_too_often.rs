use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(every = "100ms")]
async fn count() {}

fn main() {}
