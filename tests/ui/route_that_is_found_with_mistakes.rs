use nekro_core::prelude::*;

/// A board.
#[plugin]
pub struct Board;

/// Changes a board.
#[route(POST, "/boards", auth = user, nav = "Boards")]
fn change() -> u32 {
    4
}

/// Shows a board.
#[route(GET, "/boards/{id}", auth = user, card = "A board")]
fn board(id: u32) -> u32 {
    id
}

/// Shows nothing that anybody finds.
#[route(GET, "/hidden", auth = user, icon = "📋")]
fn hidden() -> u32 {
    4
}

/// Shows a page with a name that is none.
#[route(GET, "/named", auth = user, nav = "", icon = 7)]
fn named() -> u32 {
    4
}

/// Takes what a router reads itself.
#[route(ANY, "/live", auth = user)]
fn live(place: String) -> String {
    place
}

fn main() {}
