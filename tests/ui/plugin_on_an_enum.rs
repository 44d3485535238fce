use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub enum Games {
    Dice,
}

fn main() {}
