use nekro_core::prelude::*;

#[on_event]
async fn greet(event: &SessionCreated, messages: &Messages) -> Result<()> {
    let _ = (event, messages);
    Ok(())
}

fn main() {}
