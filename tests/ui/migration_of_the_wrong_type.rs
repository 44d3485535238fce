use nekro_core::prelude::*;

/// Keeps notes.
#[plugin(migrations = [titles, gone])]
pub struct Notes;

fn titles(_: &Migration) {}

fn main() {}
