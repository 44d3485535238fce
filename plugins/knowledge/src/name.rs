//! What a document is called.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a document is called, such as `manual.md`: one line, without space around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: 1 to `MOST` characters, none of which breaks a line or controls a terminal; `try_from` is the only way in.
pub struct SourceName(String);

/// The most characters of a name.
const MOST: usize = 120;

/// A text is no name of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError;

impl SourceName {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let trimmed = text.trim();
        let breaks = |one: char| one.is_control() || one.is_whitespace() && one != ' ';
        if trimmed.is_empty() || trimmed.chars().nth(MOST).is_some() || trimmed.contains(breaks) {
            return Err(NameError);
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        name.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a name of 1 to {MOST} characters on one line, such as \"manual.md\"")
    }
}

impl std::error::Error for NameError {}
