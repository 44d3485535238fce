use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task]
async fn shuffle(task: &Task, times: u32) -> u32 {
    task.progress(50, "half of it");
    times
}

fn main() {}
