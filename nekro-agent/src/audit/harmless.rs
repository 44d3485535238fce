//! Making what a file says harmless to print.

use std::borrow::Cow;

/// Tells whether a character could steer a terminal, begin a line of its own, or show a text in another order than it has.
fn is_harmful(one: char) -> bool {
    let changes_direction =
        matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    one.is_control() || matches!(one, '\u{2028}' | '\u{2029}') || changes_direction
}

/// Makes a name of somebody else's fit to stand in a line.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|one| if is_harmful(one) { char::REPLACEMENT_CHARACTER } else { one }).collect())
}

/// Escapes, in JSON or in a basic string of TOML, what those leave as it is. Such characters stand in strings only.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|one| is_harmful(one) && one != '\n') {
        return Cow::Borrowed(text);
    }
    let escape = |one: char| {
        let harmful = is_harmful(one) && one != '\n';
        if harmful { format!("\\u{:04x}", u32::from(one)) } else { one.to_string() }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_line() {
        assert_eq!(word("dice.roll é"), "dice.roll é");
        assert_eq!(word("a\nb\u{1b}[2J\u{9b}\u{202e}c\u{2028}"), "a\u{fffd}b\u{fffd}[2J\u{fffd}\u{fffd}c\u{fffd}");
    }

    #[test]
    fn json_is_escaped_and_means_the_same() {
        let name = "a\nb\u{1b}[2J\u{9b}\u{7f}\u{202e}c";
        let json = serde_json::to_string(name).expect("a text");
        assert_eq!(escaped(&json), r#""a\nb\u001b[2J\u009b\u007f\u202ec""#);
        assert_eq!(serde_json::from_str::<String>(&escaped(&json)).expect("it is JSON"), name);
    }
}
