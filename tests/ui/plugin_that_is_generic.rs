use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games<T> {
    dice: T,
}

fn main() {}
