use nekro_core::prelude::*;

/// Rolls dice.
#[command]
fn roll() -> u32 {
    4
}

fn main() {}
