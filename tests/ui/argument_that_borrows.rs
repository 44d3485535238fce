use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Counts words.
#[tool]
fn count(
    /// The words.
    words: Vec<&str>,
) -> usize {
    words.len()
}

fn main() {}
