use nekro_core::prelude::*;

/// Keeps notes.
#[plugin(migrations = [titles, "tags"])]
pub struct Notes;

fn titles(_: &mut Migration) -> Result<()> {
    Ok(())
}

fn main() {}
