use nekro_core::prelude::*;

/// Games of chance.
#[plugin(requires = ["notes ^x"])]
pub struct Games;

fn main() {}
