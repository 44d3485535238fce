use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task]
async fn shuffle() -> u32 {
    4
}

/// Shuffles the cards.
#[tool]
async fn begin(tasks: &Tasks) -> Result<TaskId> {
    tasks.start(shuffle).await
}

fn main() {}
