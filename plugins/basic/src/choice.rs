//! Drawing lots.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(inline, extend("minItems" = 1, "maxItems" = MOST))]
// Invariant: from one to `MOST`.
pub(crate) struct Options(Vec<String>);

/// The most options.
const MOST: usize = 1_000;

/// There are none, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionsError;

impl Options {
    /// Draws so many, or all if there are fewer; `below` is given the last index and returns one up to it.
    pub(crate) fn draw(mut self, count: usize, mut up_to: impl FnMut(u32) -> u32) -> Vec<String> {
        let mut drawn = Vec::new();
        while drawn.len() < count && !self.0.is_empty() {
            // At most `MOST`, which fits.
            let last = self.0.len() - 1;
            let index = up_to(last as u32) as usize;
            drawn.push(self.0.swap_remove(index.min(last)));
        }
        drawn
    }
}

impl TryFrom<Vec<String>> for Options {
    type Error = OptionsError;

    fn try_from(options: Vec<String>) -> Result<Self, OptionsError> {
        if (1..=MOST).contains(&options.len()) { Ok(Self(options)) } else { Err(OptionsError) }
    }
}

impl From<Options> for Vec<String> {
    fn from(options: Options) -> Self {
        options.0
    }
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected from 1 to {MOST} options")
    }
}

impl std::error::Error for OptionsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(count: usize) -> Result<Options, OptionsError> {
        Options::try_from((0..count).map(|number| number.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn nothing_is_drawn_twice_and_no_more_than_there_is() {
        let mut drawn = options(5).expect("a few").draw(9, |last| last / 2);
        drawn.sort();
        assert_eq!(drawn, ["0", "1", "2", "3", "4"]);
        assert_eq!(options(3).expect("a few").draw(1, |last| last), ["2"]);
    }

    #[test]
    fn there_is_something_to_choose_from_but_not_too_much() {
        assert_eq!(options(0), Err(OptionsError));
        assert_eq!(options(1_001), Err(OptionsError));
    }
}
