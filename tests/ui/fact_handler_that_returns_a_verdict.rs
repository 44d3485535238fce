use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event]
fn greet(event: &SessionCreated) -> Approval {
    let _ = event;
    Approval::Allow
}

fn main() {}
