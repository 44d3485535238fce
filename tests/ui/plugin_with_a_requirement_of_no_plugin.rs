use nekro_core::prelude::*;

/// Games of chance.
#[plugin(requires = ["nekro-plugin-notes"])]
pub struct Games;

fn main() {}
