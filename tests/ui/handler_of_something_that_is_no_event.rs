use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

struct Rolled;

#[on_event]
fn celebrate(event: &Rolled) {
    let _ = event;
}

fn main() {}
