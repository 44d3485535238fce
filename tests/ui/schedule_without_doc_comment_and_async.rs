use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[schedule(every = "15m")]
fn count() {}

fn main() {}
