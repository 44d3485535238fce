//! What a note is called by.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a note is called by, such as `birthday`: one line, without space around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: 1 to `MOST` characters, none of which breaks a line or controls a terminal; `try_from` and `numbered` are the only ways in.
pub struct Key(String);

/// The most characters of a key.
const MOST: usize = 64;

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl Key {
    /// Makes the key of a note that nobody named.
    pub fn numbered(number: u64) -> Self {
        Self(number.to_string())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        let trimmed = text.trim();
        let breaks = |character: char| character.is_control() || character.is_whitespace() && character != ' ';
        if trimmed.is_empty() || trimmed.chars().nth(MOST).is_some() || trimmed.contains(breaks) {
            return Err(KeyError);
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a key of 1 to {MOST} characters on one line, such as \"birthday\"")
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, KeyError>) {
        assert_eq!(Key::try_from(text.to_owned()).map(String::from), expected.map(str::to_owned));
    }

    #[test]
    fn a_key_is_one_line_in_any_language() {
        check(" birthday ", Ok("birthday"));
        check("Adas Geburtstag", Ok("Adas Geburtstag"));
        check("生日", Ok("生日"));
        check(&"ä".repeat(MOST), Ok(&"ä".repeat(MOST)));
    }

    #[test]
    fn what_could_pass_for_more_than_a_key_is_refused() {
        for text in ["", "  ", "a\nb", "a\u{2028}b", "a\u{1b}[2Jb", "a\0b", &"a".repeat(MOST + 1)] {
            check(text, Err(KeyError));
        }
    }
}
