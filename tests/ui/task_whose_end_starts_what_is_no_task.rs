use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Shuffles the cards.
#[task(on_terminal = told)]
async fn shuffle() -> u32 {
    4
}

async fn told(end: TaskEnd) -> TaskEnd {
    end
}

fn main() {}
