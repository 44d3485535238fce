use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(every = "15m", zone = "Europe/Berlin")]
async fn count() {}

fn main() {}
