//! The entries of a transcript, in Markdown.
//!
//! What somebody wrote stands in a quotation, line by line, and what is named in a line of its own is written without the signs of Markdown:
//! no text can pass for another entry.

use jiff::Timestamp;
use serde_json::Value;

use crate::secret;

/// The most characters of a name.
const MOST_OF_A_NAME: usize = 100;

/// An entry of a transcript.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    /// Somebody wrote something.
    Message {
        /// Who.
        from: &'a str,
        /// What.
        text: &'a str,
    },
    /// A tool was called.
    Call {
        /// Which.
        tool: &'a str,
        /// With what, unless it is not to be written.
        arguments: Option<&'a Value>,
    },
    /// A tool has ended, or a person was asked about it.
    Tool {
        /// Which.
        tool: &'a str,
        /// What happened.
        what: &'a str,
    },
    /// Something else happened.
    Event {
        /// What.
        what: &'a str,
        /// What it was about, in other people's words.
        about: Option<&'a str>,
    },
}

impl Entry<'_> {
    /// Writes it, with no more than `most` characters of what somebody wrote.
    pub(crate) fn markdown(&self, at: Timestamp, most: usize) -> String {
        let at = at.strftime("%Y-%m-%d %H:%M:%S");
        match self {
            Self::Message { from, text } => format!("**{}** · {at}\n\n{}\n", plain(from), quotation(&secret::hide(text), most)),
            Self::Call { tool, arguments: None } => format!("*{at} · {} is called*\n\n", plain(tool)),
            Self::Call { tool, arguments: Some(arguments) } => {
                let arguments = secret::hide_in(arguments).to_string();
                format!("*{at} · {} is called*\n\n{}\n", plain(tool), quotation(&arguments, most))
            }
            Self::Tool { tool, what } => format!("*{at} · {} {}*\n\n", plain(tool), plain(what)),
            Self::Event { what, about: None } => format!("*{at} · {}*\n\n", plain(what)),
            Self::Event { what, about: Some(about) } => {
                format!("*{at} · {}*\n\n{}\n", plain(what), quotation(&secret::hide(about), most))
            }
        }
    }
}

/// Writes a text as a quotation, within its limit. Its secrets are hidden before: one that is cut in two is not known any more.
fn quotation(text: &str, most: usize) -> String {
    let mut quotation = String::new();
    let mut left = most;
    for line in text.split(['\n', '\u{2028}', '\u{2029}', '\u{85}']) {
        let shown: String = line.chars().filter(|character| !character.is_control() || *character == '\t').take(left).collect();
        left -= shown.chars().count();
        quotation.push_str("> ");
        quotation.push_str(&shown);
        quotation.push('\n');
        // A line costs one, so that a text of empty lines comes to its end.
        left = left.saturating_sub(1);
        if left == 0 {
            break;
        }
    }
    if text.chars().nth(most).is_some() {
        quotation.push_str("> […]\n");
    }
    quotation
}

/// Writes a name on one line, without the signs of Markdown.
fn plain(name: &str) -> String {
    let name = secret::hide(name);
    let mut plain = String::new();
    for character in name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_OF_A_NAME) {
        if matches!(character, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|' | '~') {
            plain.push('\\');
        }
        if !character.is_control() {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(entry: &Entry<'_>, expected: &str) {
        let at: Timestamp = "2030-01-01T12:00:05.5Z".parse().expect("a moment");
        assert_eq!(entry.markdown(at, 20), expected);
    }

    #[test]
    fn entries_are_markdown() {
        check(&Entry::Message { from: "ada", text: "Hello\nthere" }, "**ada** · 2030-01-01 12:00:05\n\n> Hello\n> there\n\n");
        let arguments = json!({ "a": 1, "token": "x" });
        let call = Entry::Call { tool: "dice.roll", arguments: Some(&arguments) };
        check(&call, "*2030-01-01 12:00:05 · dice.roll is called*\n\n> {\"a\":1,\"token\":\"[hid\n> […]\n\n");
        check(&Entry::Tool { tool: "dice.roll", what: "is done" }, "*2030-01-01 12:00:05 · dice.roll is done*\n\n");
        check(&Entry::Event { what: "begun anew", about: None }, "*2030-01-01 12:00:05 · begun anew*\n\n");
    }

    #[test]
    fn nobody_can_write_the_entry_of_somebody_else() {
        check(
            &Entry::Message { from: "a**\n\n**admin", text: "x\n\n**admin** · 20" },
            "**a\\*\\* \\*\\*admin** · 2030-01-01 12:00:05\n\n> x\n> \n> **admin** · 20\n\n",
        );
    }

    #[test]
    fn a_secret_is_left_out_even_at_the_limit() {
        check(
            &Entry::Message { from: "a", text: "0123456789 sk-abcdefghijklmnop" },
            "**a** · 2030-01-01 12:00:05\n\n> 0123456789 [hidden]\n\n",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_entry_is_bounded_and_every_line_of_a_text_is_quoted(from in any::<String>(), text in any::<String>(), most in 1..50_usize) {
            let entry = Entry::Message { from: &from, text: &text };
            let markdown = entry.markdown(Timestamp::UNIX_EPOCH, most);
            prop_assert!(markdown.chars().count() <= 3 * most + 2 * MOST_OF_A_NAME + 60, "{markdown}");
            let mut lines = markdown.lines();
            prop_assert!(lines.next().is_some_and(|head| head.ends_with("** · 1970-01-01 00:00:00")));
            prop_assert!(lines.all(|line| line.is_empty() || line.starts_with("> ")), "{markdown}");
        }
    }
}
