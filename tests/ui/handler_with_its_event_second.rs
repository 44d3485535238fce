use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event]
fn greet(messages: &Messages, event: &SessionCreated) {
    let _ = (event, messages);
}

fn main() {}
