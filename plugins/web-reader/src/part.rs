//! Parts of long texts.

/// Returns the characters of a text from one on, up to so many, and where the next part begins. A part ends with a paragraph or a word where
/// it can.
pub(crate) fn of(text: &str, from: usize, most: usize) -> (String, Option<usize>) {
    let Some((start, _)) = text.char_indices().nth(from) else { return (String::new(), None) };
    let rest = &text[start..];
    let Some((limit, _)) = rest.char_indices().nth(most) else { return (rest.to_owned(), None) };
    let part = &rest[..limit];
    // Not so early that there would be many small parts.
    let late = |at: &usize| *at > limit / 2;
    let end = part.rfind("\n\n").filter(late).map(|at| at + 2);
    let end =
        end.or_else(|| part.rfind(char::is_whitespace).filter(late).map(|at| at + 1)).filter(|end| part.is_char_boundary(*end));
    let part = &part[..end.unwrap_or(limit)];
    (part.to_owned(), Some(from + part.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        let text = "Erster Absatz, nicht länger.\n\nZweiter Absatz mit Wörtern.\n\nLetzter\u{3000}Absatz ohneeinendeabzusehenweitundbreit";
        for most in [1, 5, 13, 20, 40, 1_000] {
            let (mut from, mut whole, mut parts) = (0, String::new(), 0);
            loop {
                let (part, next) = of(text, from, most);
                assert!(part.chars().count() <= most);
                whole += &part;
                parts += 1;
                match next {
                    Some(next) => from = next,
                    None => break,
                }
            }
            assert_eq!(whole, text, "{parts} parts of {most}");
        }
        assert_eq!(of(text, 0, 40), ("Erster Absatz, nicht länger.\n\n".to_owned(), Some(30)));
        assert_eq!(of(text, 10_000, 40), (String::new(), None));
    }
}
