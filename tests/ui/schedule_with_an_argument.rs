use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts the cards.
#[schedule(every = "15m")]
async fn count(
    /// How often.
    times: u32,
) {
    drop(times);
}

fn main() {}
