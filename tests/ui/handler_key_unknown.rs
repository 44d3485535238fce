use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event(prio = 3)]
fn greet(event: &SessionCreated) {
    let _ = event;
}

fn main() {}
