//! What a model makes of a conversation, and how people read it.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the model is told first.
pub(crate) const INSTRUCTIONS: &str = "You write the digest of a conversation for people who were not there. Name who said or decided what. \
     Leave out greetings and small talk. Write in the language of the conversation.";

/// What a model makes of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// What it was about, in one sentence.
    #[schemars(length(min = 1, max = 500))]
    pub headline: String,
    /// What was said and decided, the most important first, each in one or two sentences.
    #[schemars(length(max = 30))]
    pub points: Vec<String>,
    /// What is left to do, and by whom if that was said.
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub open: Vec<String>,
}

impl Summary {
    /// Writes it as a message.
    pub(crate) fn text(&self, hours: u32) -> String {
        let mut text = format!("📋 The last {hours} hours: {}", line(&self.headline));
        for point in &self.points {
            let _ = write!(text, "\n- {}", line(point));
        }
        for left in &self.open {
            let _ = write!(text, "\n- [ ] {}", line(left));
        }
        text
    }

    /// Writes it as a file.
    pub(crate) fn markdown(&self, session: &str, hours: u32, messages: usize, cut: bool) -> String {
        let left_out = if cut { ", earlier ones were left out" } else { "" };
        let mut text =
            format!("# {}\n\n*{}, the last {hours} hours, {messages} messages{left_out}*\n", line(&self.headline), line(session));
        for (title, sign, items) in [("What happened", "-", &self.points), ("Left to do", "- [ ]", &self.open)] {
            if items.is_empty() {
                continue;
            }
            let _ = write!(text, "\n## {title}\n\n");
            for item in items {
                let _ = writeln!(text, "{sign} {}", line(item));
            }
        }
        text
    }
}

/// Writes a text on one line, so that it stays within its item.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn summary() -> Summary {
        Summary {
            headline: "The kettle\nis broken.".to_owned(),
            points: vec!["Ada has found it.".to_owned()],
            open: vec!["Bob buys\n# another one.".to_owned()],
        }
    }

    #[test]
    fn a_summary_is_a_message_and_a_file() {
        expect![[r#"
            📋 The last 24 hours: The kettle is broken.
            - Ada has found it.
            - [ ] Bob buys # another one."#]]
        .assert_eq(&summary().text(24));
        expect![[r#"
            # The kettle is broken.

            *terminal, the last 24 hours, 12 messages, earlier ones were left out*

            ## What happened

            - Ada has found it.

            ## Left to do

            - [ ] Bob buys # another one.
        "#]]
        .assert_eq(&summary().markdown("terminal", 24, 12, true));
    }

    #[test]
    fn what_has_no_items_has_no_title() {
        let empty = Summary { points: Vec::new(), open: Vec::new(), ..summary() };
        assert_eq!(empty.markdown("s", 1, 1, false), "# The kettle is broken.\n\n*s, the last 1 hours, 1 messages*\n");
    }
}
