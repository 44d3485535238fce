use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Tells the length.
#[tool]
fn length(
    /// A text.
    text: &'static str,
) -> usize {
    text.len()
}

fn main() {}
