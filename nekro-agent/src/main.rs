//! The `nekro` program.

fn main() {}
