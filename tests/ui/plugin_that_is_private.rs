use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
struct Games;

fn main() {}
