use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event(phase = first)]
fn guard(call: &ToolCall) -> Approval {
    let _ = call;
    Approval::Allow
}

fn main() {}
