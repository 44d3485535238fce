//! The words of a text, as the index of words has them.
//!
//! Chinese, Japanese and Korean have no spaces between words, so what is written in their letters is cut into pairs that overlap: without
//! that, an index of words finds next to nothing in them.

/// The most words of a query that are looked for.
const MOST_WORDS: usize = 64;

/// Returns the words of a text with spaces between them.
pub(crate) fn of(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + text.len() / 4);
    let mut before: Option<char> = None;
    let mut alone = false;
    for one in text.chars() {
        if !is_unspaced(one) {
            if alone {
                words.extend(before);
            }
            if before.is_some() {
                words.push(' ');
            }
            words.push(if one.is_alphanumeric() { one } else { ' ' });
            (before, alone) = (None, false);
            continue;
        }
        match before {
            Some(first) => {
                words.extend([' ', first, one]);
                alone = false;
            }
            None => {
                words.push(' ');
                alone = true;
            }
        }
        before = Some(one);
    }
    if alone {
        words.extend(before);
    }
    words
}

/// Returns an expression that finds texts with any of the words; `None` if there are none.
pub(crate) fn expression(query: &str) -> Option<String> {
    let words = of(query);
    let mut seen = std::collections::HashSet::new();
    let words = words.split_whitespace().filter(|word| seen.insert(word.to_lowercase())).take(MOST_WORDS);
    // In quotation marks, no word is an operator; none has such a mark in it.
    let words: Vec<_> = words.map(|word| format!("\"{word}\"")).collect();
    (!words.is_empty()).then(|| words.join(" OR "))
}

/// Tells whether a letter is of a script that has no spaces between its words.
fn is_unspaced(one: char) -> bool {
    matches!(one, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_spaces_are_cut_into_pairs() {
        for (text, expected) in [
            ("Green tea, 70°C!", "Green tea 70 C"),
            ("绿茶很好", "绿茶 茶很 很好"),
            ("茶", "茶"),
            ("喝tea吧", "喝 tea 吧"),
            ("東京タワー", "東京 京タ タワ ワー"),
            ("a\"b OR c* NEAR(x)", "a b OR c NEAR x"),
            ("", ""),
        ] {
            assert_eq!(of(text).split_whitespace().collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn nothing_in_a_query_is_an_operator() {
        assert_eq!(expression("tea OR \"cake\" -x tea").as_deref(), Some(r#""tea" OR "OR" OR "cake" OR "x""#));
        assert_eq!(expression(" -\"*() "), None);
        assert_eq!(expression(&"a b c d ".repeat(1_000)).map(|found| found.matches(" OR ").count()), Some(3));
    }
}
