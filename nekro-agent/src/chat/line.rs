//! What a line is: a command, a call, or a message.

use std::fmt;

use super::direct_call::{DirectCall, Mistake};

/// A line that was typed.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// Nothing.
    Empty,
    /// `/name word word`
    Command { name: String, words: Vec<String> },
    /// `plugin.tool(argument=value)`
    Call(DirectCall),
    /// Anything else.
    Message(String),
}

/// Why a line that looks like a command or a call is none.
#[derive(Debug, PartialEq)]
pub(super) enum LineError {
    /// A quote is not closed.
    Quote,
    /// The call cannot be read.
    Call(Mistake),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quote => f.write_str("a quote in the command is not closed"),
            Self::Call(mistake) => mistake.fmt(f),
        }
    }
}

/// Reads a line.
pub(super) fn read(line: &str) -> Result<Line, LineError> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Line::Empty);
    }
    // `//` begins a message with a slash.
    if let Some(message) = line.strip_prefix("//") {
        return Ok(Line::Message(format!("/{message}")));
    }
    if let Some(command) = line.strip_prefix('/') {
        let mut words = shell_words::split(command).map_err(|_| LineError::Quote)?.into_iter();
        return Ok(match words.next() {
            Some(name) => Line::Command { name, words: words.collect() },
            None => Line::Message(line.to_owned()),
        });
    }
    match DirectCall::parse(line) {
        None => Ok(Line::Message(line.to_owned())),
        Some(call) => call.map(Line::Call).map_err(LineError::Call),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_begins_a_command() {
        let command = |name: &str, words: &[&str]| {
            Ok(Line::Command { name: name.to_owned(), words: words.iter().map(|&word| word.to_owned()).collect() })
        };
        assert_eq!(read("/roll 2d6"), command("roll", &["2d6"]));
        assert_eq!(read(" /say 'a b' \"c d\" "), command("say", &["a b", "c d"]));
        assert_eq!(read("/say 'a b"), Err(LineError::Quote));
    }

    #[test]
    fn what_is_neither_command_nor_call_is_a_message() {
        for text in ["hello", "look at dice.roll(1)", "a.b is nice", "1.5(2)", "/"] {
            assert_eq!(read(text), Ok(Line::Message(text.to_owned())), "{text}");
        }
        assert_eq!(read("//roll"), Ok(Line::Message("/roll".to_owned())));
        assert_eq!(read("  "), Ok(Line::Empty));
    }
}
