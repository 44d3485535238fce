use nekro_core::prelude::*;

/// A plugin.
#[plugin(id = "p")]
pub struct P;

/// Something happened.
#[event]
#[derive(Debug)]
pub struct Happened {}

/// Returns what nobody subscribes to.
#[route(GET, "/a", auth = user, changed_by = Happened)]
fn a() -> u32 {
    1
}

/// Returns what no event changes.
#[route(GET, "/b", auth = user, resource, changed_by = P)]
fn b() -> u32 {
    2
}

fn main() {}
