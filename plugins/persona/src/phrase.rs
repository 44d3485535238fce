//! A text that stands on one line of the prompt and cannot leave it.

use std::{fmt, ops::Deref};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: not empty, at most `MOST` characters, no line break and nothing that controls a terminal.
pub(crate) struct Phrase(String);

/// The most characters of a phrase.
const MOST: usize = 500;

/// A text is no phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhraseError {
    /// It says nothing.
    Empty,
    /// It has so many characters.
    Long(usize),
}

impl TryFrom<String> for Phrase {
    type Error = PhraseError;

    fn try_from(text: String) -> Result<Self, PhraseError> {
        let words: Vec<String> =
            text.split_whitespace().map(|word| word.chars().filter(|character| !character.is_control()).collect()).collect();
        let text = words.join(" ").trim().to_owned();
        match text.chars().count() {
            0 => Err(PhraseError::Empty),
            length if length > MOST => Err(PhraseError::Long(length)),
            _ => Ok(Self(text)),
        }
    }
}

impl From<Phrase> for String {
    fn from(phrase: Phrase) -> Self {
        phrase.0
    }
}

impl Deref for Phrase {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected some words"),
            Self::Long(length) => write!(f, "expected {MOST} characters at most, but {length} came"),
        }
    }
}

impl std::error::Error for PhraseError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phrase_says_something_and_not_too_much() {
        for text in ["", " \n\t", "\u{1b}"] {
            assert_eq!(Phrase::try_from(text.to_owned()), Err(PhraseError::Empty));
        }
        assert_eq!(Phrase::try_from("ä".repeat(501)), Err(PhraseError::Long(501)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_phrase_stays_on_its_line_and_is_stable(text in any::<String>()) {
            if let Ok(phrase) = Phrase::try_from(text) {
                let leaves = |character: char| character.is_control() || ['\u{2028}', '\u{2029}'].contains(&character);
                prop_assert!(!phrase.chars().any(leaves));
                prop_assert_eq!(Phrase::try_from(phrase.to_string()), Ok(phrase));
            }
        }
    }
}
