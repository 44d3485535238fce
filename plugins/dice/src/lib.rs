//! Dice: for games, and for whatever else should be left to chance.

#![forbid(unsafe_code)]

mod notation;

use nekro_core::prelude::*;

pub use crate::notation::{Dice, NotationError, Roll};

/// Rolls dice, for games and for whatever else should be left to chance.
#[plugin(id = "dice", category = "games")]
pub struct DicePlugin;

/// Rolls dice and returns each die and the total.
///
/// Use it whenever the outcome should be left to chance.
#[tool(tags = ["random", "game"])]
fn roll(
    random: &Random,
    /// Dice notation: number of dice, sides and what is added, such as "2d6+1".
    #[arg(default = Dice::D6)]
    notation: Dice,
) -> Roll {
    notation.roll(|sides| random.between(1..=sides))
}

/// Rolls dice, such as 2d6+1.
#[command(name = "roll", aliases = ["r"])]
fn roll_command(
    random: &Random,
    /// Dice notation, such as 2d6+1.
    #[arg(default = Dice::D6)]
    notation: Dice,
) -> String {
    format!("{notation}: {}", notation.roll(|sides| random.between(1..=sides)))
}
