use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Other games.
#[plugin(id = "other_games")]
pub struct OtherGames;

fn main() {}
