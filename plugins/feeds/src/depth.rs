//! How deeply the elements of a feed are nested.
//!
//! What reads feeds goes into some elements by recursion, and a stack that is full ends the process. So the depth is measured before, by the
//! same reader of XML.

use quick_xml::{Reader, encoding::DecodingReader, events::Event};

/// The most that a feed needs, with HTML in its entries.
pub(crate) const DEEPEST: usize = 200;

/// Tells whether a feed is nested more deeply than it may be: XML by its elements, JSON by its brackets.
pub(crate) fn is_too_deep(bytes: &[u8]) -> bool {
    let beginning = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match beginning {
        // What reads JSON has a limit of its own.
        Some(b'{' | b'[') => false,
        _ => xml(bytes),
    }
}

fn xml(bytes: &[u8]) -> bool {
    let mut reader = Reader::from_reader(DecodingReader::new(bytes));
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let (mut depth, mut piece) = (0_usize, Vec::new());
    loop {
        piece.clear();
        match reader.read_event_into(&mut piece) {
            // What follows may be in other letters, in which other bytes are brackets.
            Ok(Event::Decl(declaration)) => {
                if let Some(encoding) = declaration.encoder() {
                    reader.get_mut().set_encoding(encoding);
                }
            }
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            // What cannot be read ends here for everybody.
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_would_write_is_too_deep() {
        let nested =
            |name: &str, depth: usize| format!("{}x{}", format!("<{name}>").repeat(depth), format!("</{name}>").repeat(depth));
        for (text, expected) in [
            (nested("a", 100), false),
            (nested("a", 201), true),
            ("<a>".repeat(300), true),
            ("<a/>".repeat(300), false),
            ("<a></a>".repeat(300), false),
            (format!("<a><![CDATA[{}]]></a>", "<p>".repeat(300)), false),
            (format!("<!-- {} --><a/>", "<p>".repeat(300)), false),
            ("{}".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_too_deep(text.as_bytes()), expected, "{}", &text[..text.len().min(40)]);
        }
    }
}
