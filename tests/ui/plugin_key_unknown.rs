use nekro_core::prelude::*;

/// Games of chance.
#[plugin(titel = "Games")]
pub struct Games;

fn main() {}
