use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[prompt]
fn rules() {}

fn main() {}
