//! How many tokens something has, estimated.
//!
//! No provider's tokenizer is at hand, and each has its own. English text has about four characters to a token; other scripts have
//! between one and three, and are counted as one, so that the estimate is rather too high. An image counts as many as the larger
//! providers charge for a small one. What an entry of a conversation costs beside its text counts too.

use serde_json::Value;

use crate::model::{Entry, ToolSpec};

/// What an image counts.
const IMAGE: u64 = 1_000;

/// What an entry costs beside its text.
const ENTRY: u64 = 4;

/// Estimates a text.
pub(crate) fn of_text(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    // Every character that is not ASCII begins with one byte of this form.
    let others = text.bytes().filter(|byte| *byte >= 0xC0).count() as u64;
    ascii.div_ceil(4) + others
}

/// Estimates an entry of a conversation.
pub(crate) fn of_entry(entry: &Entry) -> u64 {
    ENTRY
        + match entry {
            Entry::Person { name, text, images } => {
                name.as_deref().map_or(0, of_text) + of_text(text) + IMAGE * images.len() as u64
            }
            Entry::Notice { text } => of_text(text),
            Entry::Answer { text, calls } => {
                let calls = calls.iter().map(|call| ENTRY + of_text(&call.tool) + of_text(&call.arguments));
                of_text(text) + calls.sum::<u64>()
            }
            Entry::Result { text, images, .. } => of_text(text) + IMAGE * images.len() as u64,
        }
}

/// Estimates a function that the model may call.
pub(crate) fn of_tool(tool: &ToolSpec) -> u64 {
    ENTRY + of_text(&tool.name) + of_text(&tool.description) + of_json(&tool.arguments)
}

/// Cuts a text to so many tokens, and says so at its end. Returns whether anything was cut.
pub(crate) fn cut(text: &mut String, tokens: u64, note: &str) -> bool {
    if of_text(text) <= tokens {
        return false;
    }
    let room = tokens.saturating_sub(of_text(note));
    let (mut ascii, mut others) = (0_u64, 0_u64);
    let end = text.char_indices().find(|(_, one)| {
        if one.is_ascii() {
            ascii += 1
        } else {
            others += 1
        }
        ascii.div_ceil(4) + others > room
    });
    let end = end.map_or(text.len(), |(at, _)| at);
    text.truncate(end);
    text.push_str(note);
    true
}

/// Counts JSON without writing it: its schemas are large, and are counted in every turn.
fn of_json(value: &Value) -> u64 {
    fn length(value: &Value) -> u64 {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 4,
            Value::String(text) => 2 + text.len() as u64,
            Value::Array(items) => 2 + items.iter().map(|item| 1 + length(item)).sum::<u64>(),
            Value::Object(fields) => 2 + fields.iter().map(|(name, value)| 4 + name.len() as u64 + length(value)).sum::<u64>(),
        }
    }
    length(value).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_ascii_characters_or_one_other_are_a_token() {
        for (text, tokens) in [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("猫猫", 2), ("猫ab", 2), ("😀", 1)] {
            assert_eq!(of_text(text), tokens, "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_to_its_tokens_between_two_characters() {
        for text in ["a".repeat(100), "猫".repeat(100), "a猫".repeat(60)] {
            let mut shorter = text.clone();
            assert!(cut(&mut shorter, 10, " [cut]"));
            assert!(of_text(&shorter) <= 10 && shorter.ends_with(" [cut]"), "{shorter}");
            assert!(text.starts_with(shorter.trim_end_matches(" [cut]")));
        }
        let mut short = "abc".to_owned();
        assert!(!cut(&mut short, 10, " [cut]"));
        assert_eq!(short, "abc");
    }
}
