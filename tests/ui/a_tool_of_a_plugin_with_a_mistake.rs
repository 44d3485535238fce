use nekro_core::prelude::*;

/// Games of chance.
#[plugin(titel = "Games")]
pub struct Games {
    /// How many sides.
    #[serde(default)]
    sides: u32,
}

/// Rolls dice.
#[tool]
fn roll(games: &Games) -> u32 {
    games.sides
}

fn main() {}
