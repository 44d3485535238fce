use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Names the configuration.
#[tool]
fn name(games: &Games) -> &Games {
    games
}

fn main() {}
