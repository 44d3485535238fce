use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

impl Games {
    /// Rolls dice.
    #[tool]
    fn roll(&self) -> u32 {
        4
    }
}

fn main() {}
