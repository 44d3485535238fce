use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub fn games() {}

fn main() {}
