use nekro_core::prelude::*;

#[plugin]
pub struct Games;

fn main() {}
