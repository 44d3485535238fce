//! What is sent, and what became of it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AnswerForm;
use crate::{
    capability::TakenFile,
    ids::{MessageId, UserId},
};

/// A message to send.
///
/// ```
/// # use nekro_core::Message;
/// let message = Message::new("Here is the chart.").file("chart.png", "image/png", vec![1, 2, 3]).reply_to("message-7");
/// assert_eq!(message.files[0].name, "chart.png");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Message {
    /// What to say, in Markdown.
    pub text: String,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Files that come with it, such as pictures.
    #[serde(skip)]
    #[schemars(skip)]
    pub files: Vec<MessageFile>,
    /// Whether somebody waits for the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_question: bool,
    /// What is wanted for an answer, of a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<AnswerForm>,
}

/// A file that comes with a message, or with a tool's answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageFile {
    /// What it is called.
    pub name: String,
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Message {
    /// Makes a message of text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), reply_to: None, files: Vec::new(), is_question: false, form: None }
    }

    /// Makes it an answer to another message.
    #[must_use]
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.reply_to = Some(message.into());
        self
    }

    /// Adds a file: a picture if it is of a type such as `image/png`.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push(MessageFile::new(name, media_type, bytes));
        self
    }

    /// Adds a file that was taken from a path, a URL or a text, as [`Files::take`](crate::Files::take) does.
    #[must_use]
    pub fn taken(self, file: TakenFile) -> Self {
        let name = file.name.unwrap_or_else(|| "file".to_owned());
        self.file(name, file.media_type, file.bytes)
    }
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl MessageFile {
    /// Makes one.
    pub fn new(name: impl Into<String>, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), media_type: media_type.into(), bytes: bytes.into() }
    }

    /// Returns what is in a file of text: one in UTF-8 whose type says so, or that has no type.
    pub fn text(&self) -> Option<&str> {
        if is_text(&self.media_type) { std::str::from_utf8(&self.bytes).ok() } else { None }
    }

    /// Tells whether it is a picture.
    pub fn is_image(&self) -> bool {
        self.media_type.starts_with("image/")
    }
}

impl fmt::Debug for MessageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageFile({:?}, {}, {} bytes)", self.name, self.media_type, self.bytes.len())
    }
}

/// Tells whether a file of a media type is read as text.
fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.starts_with("text/") || ["json", "xml", "javascript", "yaml"].iter().any(|form| kind.ends_with(form))
}

/// What became of a message that was sent: it was delivered. If it was not, there is an error that says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Delivery {
    /// The id it has in its conversation.
    pub message: MessageId,
}

impl Delivery {
    /// A message that was delivered.
    pub fn new(message: impl Into<MessageId>) -> Self {
        Self { message: message.into() }
    }
}

/// Whether what the agent is told begins a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The agent answers it, unless a plugin decides otherwise.
    Answer,
    /// The agent sees it the next time that it answers something.
    Later,
}

/// What became of something that the agent was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The id it has in its conversation.
    pub message: MessageId,
    /// Why no turn answers it; `None` if one does.
    pub unanswered: Option<String>,
}

impl Pushed {
    /// Something that the agent was told.
    pub fn new(message: impl Into<MessageId>, unanswered: Option<String>) -> Self {
        Self { message: message.into(), unanswered }
    }
}

/// What a person answered to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// What it says.
    pub text: String,
    /// The id it has in its conversation.
    pub message: MessageId,
    /// Who answered, if the channel says.
    pub user: Option<UserId>,
}

impl Answer {
    /// An answer.
    pub fn new(text: impl Into<String>, message: impl Into<MessageId>, user: Option<UserId>) -> Self {
        Self { text: text.into(), message: message.into(), user }
    }
}
