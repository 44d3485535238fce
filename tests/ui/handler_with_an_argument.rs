use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event]
fn greet(event: &SessionCreated, name: String) {
    let _ = (event, name);
}

fn main() {}
