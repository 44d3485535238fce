use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Greets.
#[command]
fn greet(event: &SessionCreated) -> String {
    let _ = event;
    String::new()
}

fn main() {}
