use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event]
fn guard(call: &ToolCall) -> Rewrite {
    let _ = call;
    Rewrite::Keep
}

fn main() {}
