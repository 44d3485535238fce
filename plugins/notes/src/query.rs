//! What notes are looked for by.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Words that all have to occur in a note, in any order, whatever their case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: at least one word, in lower case; `MOST` characters at most, so that a search costs little.
pub(crate) struct Query(Vec<String>);

/// The most characters of a query.
const MOST: usize = 200;

/// A text is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueryError;

impl Query {
    /// Tells whether every word occurs in one of the texts.
    pub(crate) fn matches(&self, texts: [&str; 2]) -> bool {
        let texts = texts.map(str::to_lowercase);
        self.0.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

impl TryFrom<String> for Query {
    type Error = QueryError;

    fn try_from(text: String) -> Result<Self, QueryError> {
        if text.chars().nth(MOST).is_some() {
            return Err(QueryError);
        }
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() { Err(QueryError) } else { Ok(Self(words)) }
    }
}

impl From<Query> for String {
    fn from(query: Query) -> Self {
        query.0.join(" ")
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one or more words, {MOST} characters at most")
    }
}

impl std::error::Error for QueryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: bool) {
        let query = Query::try_from(query.to_owned()).expect("a query");
        assert_eq!(query.matches(["birthday", "Ada likes ÄPFEL"]), expected);
    }

    #[test]
    fn every_word_has_to_occur_somewhere() {
        check("ada", true);
        check("äpfel BIRTHDAY", true);
        check("ada pears", false);
        check("likeada", false);
    }

    #[test]
    fn a_query_has_words_but_not_too_many() {
        for text in ["", " \n", &"a ".repeat(MOST)] {
            assert_eq!(Query::try_from(text.to_owned()), Err(QueryError));
        }
    }
}
