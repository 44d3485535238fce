use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task]
async fn shuffle(
    /// How often.
    times: u32,
) -> u32 {
    times
}

/// Shuffles the cards.
#[tool]
async fn begin(tasks: &Tasks) -> Result<TaskId> {
    tasks.start(shuffle {}).await
}

fn main() {}
