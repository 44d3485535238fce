use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games(u32);

fn main() {}
