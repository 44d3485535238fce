//! Dice notation such as `2d6+1`.
//!
//! Free of plugin types, so the rules of dice can be read and tested on their own.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A roll to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dice {
    // Invariant: both are at least 1 and at most `MOST`; `from_str` is the only way in.
    count: u32,
    sides: u32,
    plus: i32,
}

/// The most dice, sides, or points to add: more than any table has, and few enough to print.
const MOST: u32 = 1_000;

impl Dice {
    /// One die with six sides.
    pub const D6: Self = Self { count: 1, sides: 6, plus: 0 };

    /// Rolls every die with `die`, which is given the number of sides.
    pub fn roll(self, mut die: impl FnMut(u32) -> u32) -> Roll {
        let dice: Vec<_> = (0..self.count).map(|_| die(self.sides)).collect();
        let total = dice.iter().map(|die| i64::from(*die)).sum::<i64>() + i64::from(self.plus);
        Roll { dice, total }
    }
}

/// What was rolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Roll {
    /// Each die.
    pub dice: Vec<u32>,
    /// Their sum, and what the notation adds.
    pub total: i64,
}

impl fmt::Display for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.total, self.dice)
    }
}

/// Why a text is no dice notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotationError {
    /// It does not look like `2d6+1`.
    Form,
    /// There are none, or too many, dice, sides or points.
    Range,
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected dice notation such as \"2d6+1\""),
            Self::Range => write!(f, "the numbers in dice notation go from 1 to {MOST}"),
        }
    }
}

impl std::error::Error for NotationError {}

impl FromStr for Dice {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        let text = text.trim().to_ascii_lowercase();
        let (count, rest) = text.split_once(['d', 'w']).ok_or(NotationError::Form)?;
        let (sides, plus) = match rest.find(['+', '-']) {
            Some(at) => (&rest[..at], number(&rest[at + 1..])?.cast_signed() * if rest[at..].starts_with('-') { -1 } else { 1 }),
            None => (rest, 0),
        };
        let count = if count.is_empty() { 1 } else { number(count)? };
        Ok(Self { count, sides: number(sides)?, plus })
    }
}

fn number(text: &str) -> Result<u32, NotationError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotationError::Form);
    }
    text.parse().ok().filter(|number| (1..=MOST).contains(number)).ok_or(NotationError::Range)
}

impl fmt::Display for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d{}", self.count, self.sides)?;
        if self.plus == 0 { Ok(()) } else { write!(f, "{:+}", self.plus) }
    }
}

impl TryFrom<String> for Dice {
    type Error = NotationError;

    fn try_from(text: String) -> Result<Self, NotationError> {
        text.parse()
    }
}

impl From<Dice> for String {
    fn from(dice: Dice) -> Self {
        dice.to_string()
    }
}

impl JsonSchema for Dice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Dice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]*[dwDW][0-9]+([+-][0-9]+)?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(notation: &str, expected: Result<&str, NotationError>) {
        assert_eq!(notation.parse::<Dice>().map(|dice| dice.to_string()), expected.map(str::to_owned));
    }

    #[test]
    fn notation_is_number_sides_and_points() {
        check("2d6", Ok("2d6"));
        check(" D20 ", Ok("1d20"));
        check("3w8-2", Ok("3d8-2"));
        check("1d6+0", Err(NotationError::Range));
    }

    #[test]
    fn what_no_table_has_is_refused() {
        for (notation, error) in [
            ("", NotationError::Form),
            ("d", NotationError::Form),
            ("2d6+", NotationError::Form),
            ("2d6+1+1", NotationError::Form),
            ("-1d6", NotationError::Form),
            ("0d6", NotationError::Range),
            ("2d0", NotationError::Range),
            ("99999999999d6", NotationError::Range),
        ] {
            check(notation, Err(error));
        }
    }

    #[test]
    fn the_total_is_the_sum_and_what_is_added() {
        let dice: Dice = "3d6-2".parse().expect("valid notation");
        assert_eq!(dice.roll(|sides| sides), Roll { dice: vec![6, 6, 6], total: 16 });
    }
}
