use nekro_core::prelude::*;

#[init]
fn start() -> u32 {
    4
}

fn main() {}
