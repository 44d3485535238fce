//! Texts that are too long.

/// Returns the beginning of a text, and how many characters were left out. What is no UTF-8 is replaced.
pub(crate) fn beginning(bytes: &[u8], most: usize) -> (String, usize) {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(most) {
        None => (text.into_owned(), 0),
        Some((at, _)) => (text[..at].to_owned(), text[at..].chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_in_characters() {
        assert_eq!(beginning("äöü".as_bytes(), 3), ("äöü".to_owned(), 0));
        assert_eq!(beginning("äöü".as_bytes(), 1), ("ä".to_owned(), 2));
        assert_eq!(beginning(b"a\xffb", 2), ("a\u{fffd}".to_owned(), 1));
    }
}
