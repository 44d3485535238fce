use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(every = "15m", workdays = weekdays, misfire = ignore, overlap = wait, jitter = "much", pause_after = "often")]
async fn count() {}

fn main() {}
