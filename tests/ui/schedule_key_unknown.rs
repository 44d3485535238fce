use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(evry = "15m")]
async fn count() {}

fn main() {}
