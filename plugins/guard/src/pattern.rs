//! Patterns of tool names, such as `files.*`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pattern of tool names: `*` stands for any characters, also for none.
///
/// It consists of what a tool's name can consist of, so that a pattern which could never match is refused and does not pass for
/// protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = "^[a-z0-9_.*]{1,128}$"))]
pub(crate) struct Pattern(String);

/// The most characters of a pattern.
const MOST: usize = 128;

/// A text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternError;

impl Pattern {
    /// Tells whether a name is one of those it stands for. The time it takes grows with the length of the name, whatever the pattern.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The first occurrence leaves the most for the parts that follow.
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'*');
        if (1..=MOST).contains(&text.len()) && text.bytes().all(fits) { Ok(Self(text)) } else { Err(PatternError) }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a pattern of tool names such as \"files.*\": lower case letters, digits, `_`, `.` and `*`, {MOST} at most"
        )
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::try_from(text.to_owned()).expect("a pattern")
    }

    /// The definition, word for word: slow, and plainly right.
    fn matches_by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|taken| matches_by_definition(rest, &name[taken..])),
            [first, rest @ ..] => name.first() == Some(first) && matches_by_definition(rest, &name[1..]),
        }
    }

    proptest! {
        // Few letters, so that many pairs match.
        #[test]
        fn a_pattern_matches_what_its_definition_says(text in "[ab.*]{1,8}", name in "[ab.]{0,10}") {
            prop_assert_eq!(pattern(&text).matches(&name), matches_by_definition(text.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn a_pattern_made_from_a_name_matches_it(parts in proptest::collection::vec("[a-c.]{0,3}", 1..5), between in "[a-d.]{0,3}") {
            let name = parts.join(&between);
            let text = parts.join("*");
            prop_assume!(!text.is_empty());
            prop_assert!(pattern(&text).matches(&name));
        }

        #[test]
        fn a_name_without_a_star_matches_itself_alone(text in "[a-c._]{1,6}", name in "[a-c._]{0,6}") {
            prop_assert_eq!(pattern(&text).matches(&name), text == name);
        }

        #[test]
        fn the_star_matches_whatever_comes(name in ".{0,40}") {
            prop_assert!(pattern("*").matches(&name));
        }

        #[test]
        fn no_name_makes_it_panic(text in "[a-z.*]{1,20}", name in ".{0,40}") {
            pattern(&text).matches(&name);
        }
    }

    #[test]
    fn a_pattern_that_could_never_match_is_refused() {
        for text in ["", "Files.*", "files/*", "files.?", "files *", "dätei.*", &"a".repeat(MOST + 1)] {
            assert_eq!(Pattern::try_from(text.to_owned()), Err(PatternError), "{text}");
        }
    }

    #[test]
    fn many_stars_do_not_multiply() {
        let name = "a".repeat(1_000_000);
        let text = "a*".repeat(63);
        assert!(pattern(&text).matches(&name));
        assert!(!pattern(&format!("{text}b")).matches(&name));
        assert!(!pattern(&format!("{text}b*")).matches(&name));
    }
}
