use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[prompt]
fn rules(number: u32) -> String {
    number.to_string()
}

fn main() {}
