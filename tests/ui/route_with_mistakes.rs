use nekro_core::prelude::*;

/// A board.
#[plugin]
pub struct Board;

/// Shows a board.
#[route(FETCH, "/boards/{id}", auth = everyone)]
fn board(number: u32) -> u32 {
    number
}

/// Shows a card.
#[route(GET, "cards/", role = user)]
fn card() -> u32 {
    4
}

/// Shows nothing.
#[route(auth = user)]
fn nothing() -> u32 {
    4
}

/// Shows what has no form.
#[route(GET, "/form", auth = user)]
fn formless() -> std::time::Instant {
    std::time::Instant::now()
}

fn main() {}
