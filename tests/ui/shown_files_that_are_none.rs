use nekro_core::prelude::*;

/// A plugin that shows files which cannot be its own.
#[plugin(id = "p", resources = ["/etc", "../secret", "*/a", "a/{user}", "digests", "digests"])]
pub struct P;

fn main() {}
