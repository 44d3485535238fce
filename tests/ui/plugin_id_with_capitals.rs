use nekro_core::prelude::*;

/// Games of chance.
#[plugin(id = "MyGames")]
pub struct Games;

fn main() {}
