//! What is kept, record by record.

use jiff::Timestamp;
use nekro_core::{CallId, MessageId, PluginId, SessionId, TurnId, UserId, event::facts::ToolOutcome};
use serde::{Deserialize, Serialize};

use crate::model::{ToolUse, Usage};

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Its name.
    pub(crate) id: SessionId,
    /// When it began.
    pub(crate) began: Timestamp,
    /// When something was last written to it.
    pub(crate) used: Timestamp,
    /// How many messages it has, hidden ones included.
    pub(crate) messages: u64,
    /// What is set for it.
    pub(crate) settings: SessionSettings,
}

/// What is set for one session, over the settings of the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SessionSettings {
    /// What people call it.
    pub(crate) title: Option<String>,
    /// The model.
    pub(crate) model: Option<String>,
    /// The persona.
    pub(crate) persona: Option<String>,
    /// The state that its agent is in.
    pub(crate) state: Option<String>,
    /// Plugins that are on or off in it.
    pub(crate) plugins: std::collections::BTreeMap<String, bool>,
}

/// A message that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewMessage {
    /// The turn that it belongs to, if it belongs to one.
    pub(crate) turn: Option<TurnId>,
    /// Whether the model does not see it.
    pub(crate) hidden: bool,
    /// What it is.
    pub(crate) body: Body,
}

/// A message that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Its name.
    pub(crate) id: MessageId,
    /// Its number in the session, from 1, without gaps.
    pub(crate) number: u64,
    /// The turn that it belongs to, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<TurnId>,
    /// When it was written.
    pub(crate) at: Timestamp,
    /// Whether the model does not see it.
    #[serde(default)]
    pub(crate) hidden: bool,
    /// What it is.
    pub(crate) body: Body,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Body {
    /// A person wrote.
    Person {
        /// Who, if the channel says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// What.
        text: String,
        /// What it said before a plugin rewrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        original: Option<String>,
        /// Files that came with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<File>,
    },
    /// The agent was told something.
    Notice {
        /// By which plugin; none if by the agent itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginId>,
        /// What.
        text: String,
        /// What it said before a plugin rewrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        original: Option<String>,
    },
    /// The agent answered, or a plugin spoke to the people for it.
    Answer {
        /// The plugin, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginId>,
        /// The model, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// What it says.
        text: String,
        /// What the model thought before.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reasoning: String,
        /// The calls that the model made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolUse>,
    },
    /// A call was answered, as the model was shown it.
    Result {
        /// Which, as the model named it.
        call: String,
        /// The tool.
        tool: String,
        /// What it answered, cut to what a result may have.
        text: String,
        /// Pictures in the answer.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<File>,
        /// Whether it failed.
        #[serde(default)]
        failed: bool,
    },
    /// Stands for the messages up to a number, which the model no longer sees.
    Summary {
        /// The last message that it stands for.
        through: u64,
        /// What they said.
        text: String,
    },
}

impl Body {
    /// Gives it another text. Of what came in, the first one is kept.
    pub(crate) fn rewrite(&mut self, new: String) {
        match self {
            Self::Person { text, original, .. } | Self::Notice { text, original, .. } => {
                let before = std::mem::replace(text, new);
                original.get_or_insert(before);
            }
            Self::Answer { text, .. } | Self::Result { text, .. } | Self::Summary { text, .. } => *text = new,
        }
    }
}

/// A file in a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Its name, as it came: not to be trusted.
    pub(crate) name: String,
    /// The media type.
    pub(crate) media_type: String,
    /// The content.
    #[serde(with = "base64")]
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({:?}, {}, {} bytes)", self.name, self.media_type, self.bytes.len())
    }
}

/// Bytes as text.
mod base64 {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A turn that began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Its name.
    pub(crate) id: TurnId,
    /// The session.
    pub(crate) session: SessionId,
    /// The message that it answers; none if a schedule or a plugin began it.
    pub(crate) message: Option<MessageId>,
    /// When it began.
    pub(crate) began: Timestamp,
}

/// A call of a tool, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallRecord {
    /// Its name.
    pub(crate) id: CallId,
    /// The session, if it belongs to one.
    pub(crate) session: Option<SessionId>,
    /// The turn, if it belongs to one.
    pub(crate) turn: Option<TurnId>,
    /// When it began.
    pub(crate) at: Timestamp,
    /// The tool.
    pub(crate) tool: String,
    /// The arguments, as JSON.
    pub(crate) arguments: String,
    /// The whole result, or why there is none.
    pub(crate) result: String,
    /// How it ended.
    pub(crate) outcome: ToolOutcome,
    /// How long it took, in microseconds.
    pub(crate) micros: u64,
}

/// What one answer of a model cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsageRecord {
    /// The plugin that asked; `None` if the agent did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plugin: Option<PluginId>,
    /// The session, if it was asked in one.
    pub(crate) session: Option<SessionId>,
    /// The turn, if it was asked in one.
    pub(crate) turn: Option<TurnId>,
    /// When.
    pub(crate) at: Timestamp,
    /// The model.
    pub(crate) model: String,
    /// Tokens.
    pub(crate) usage: Usage,
    /// The price in millionths of the currency that the prices are given in; `None` if the settings name no price.
    pub(crate) cost_micros: Option<u64>,
}

/// What a session has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageTotal {
    /// How many answers.
    pub(crate) answers: u64,
    /// Tokens.
    pub(crate) usage: Usage,
    /// The price in millionths, of those answers that have one.
    pub(crate) cost_micros: u64,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listing<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// Whether more follows.
    pub(crate) more: bool,
}
