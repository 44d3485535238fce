use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[on_event]
async fn guard(call: &ToolCall) -> Result<()> {
    let _ = call;
    Ok(())
}

fn main() {}
