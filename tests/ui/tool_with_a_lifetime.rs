use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Names the configuration.
#[tool]
fn name<'a>(games: &'a Games) -> String {
    let _ = games;
    String::new()
}

fn main() {}
