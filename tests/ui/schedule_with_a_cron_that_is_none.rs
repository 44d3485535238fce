use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(cron = "60 9 * * *")]
async fn count() {}

/// Counts the chips.
#[schedule(cron = "@daily", zone = "GMT+2:00")]
async fn count_chips() {}

fn main() {}
