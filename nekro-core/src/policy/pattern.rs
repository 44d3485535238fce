//! Patterns of names: `*` stands for any characters, also for none.

/// Tells whether a name is one of those that a pattern stands for. The time it takes grows with the length of the name, whatever the pattern.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first occurrence leaves the most for the parts that follow.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word for word: slow, and plainly right.
    fn by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|taken| by_definition(rest, &name[taken..])),
            [first, rest @ ..] => name.first() == Some(first) && by_definition(rest, &name[1..]),
        }
    }

    proptest! {
        // Few letters, so that many pairs match.
        #[test]
        fn a_pattern_matches_what_its_definition_says(pattern in "[ab.*]{0,8}", name in "[ab.]{0,10}") {
            prop_assert_eq!(matches(&pattern, &name), by_definition(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
