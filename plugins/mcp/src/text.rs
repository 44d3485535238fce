//! Text of somebody else's, made fit to be shown: without what is invisible or steers a terminal, and no longer than allowed.

/// Returns a text without control characters and others that cannot be seen, cut to so many characters.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut shown = text.chars().filter(|one| is_shown(*one));
    let mut cleaned: String = shown.by_ref().take(most).collect();
    if shown.next().is_some() {
        cleaned.push_str(" [cut]");
    }
    cleaned
}

/// Tells whether a character stays: line breaks and tabs do; what steers a terminal, turns the direction of writing, or hides text does not.
fn is_shown(one: char) -> bool {
    match one {
        '\n' | '\t' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' => false,
        '\u{fe00}'..='\u{fe0e}' | '\u{e0000}'..='\u{e0fff}' => false,
        other => !other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_hides_text_is_gone() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\r\n\u{202e}abc\u{e0041}\u{200b}\u{7}\u{9b}1A", 99), "[31mred[0m\nabc1A");
        assert_eq!(clean("żółw 🐢\tok", 99), "żółw 🐢\tok");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(clean("abc", 3), "abc");
        assert_eq!(clean("abcd", 3), "abc [cut]");
    }
}
