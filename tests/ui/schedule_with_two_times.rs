use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(cron = "0 9 * * *", every = "15m")]
async fn count() {}

fn main() {}
