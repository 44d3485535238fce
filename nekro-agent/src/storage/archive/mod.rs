//! Everything that is kept as one text, to keep elsewhere and to bring back: JSON Lines, described in `docs/data.md`.
//!
//! Each line is an object with one key, which says what it is. The first says which format it is, the last how many lines of each kind
//! there were: a text that was cut off is noticed.

mod delete;
mod export;
mod import;

use jiff::Timestamp;
use nekro_core::{PluginId, SessionId, UserId, event::facts::TurnOutcome};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    delete::delete,
    export::{ExportError, export, export_session, export_values},
    import::{Import, ImportError, import},
};
use crate::history::{CallRecord, Message, Session, Turn, UsageRecord};

/// The format that is written. Another one is refused.
const FORMAT: u32 = 1;

/// Whose values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of a plugin.
    Plugin(PluginId),
    /// Those that plugins keep of a person.
    User(UserId),
}

impl Whose {
    /// Returns which rows these are, as a condition with one parameter, and the parameter.
    fn condition(&self) -> (&'static str, String) {
        match self {
            Self::Plugin(plugin) => ("plugin = ?", plugin.to_string()),
            Self::User(user) => ("user = ? AND user <> ''", format!("={user}")),
        }
    }
}

/// The most bytes of a line that are read.
const MOST_LINE_BYTES: u64 = 256 * 1024 * 1024;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Nekro(Header),
    Session(Session),
    Message(MessageLine),
    Turn(TurnLine),
    Call(CallRecord),
    Usage(UsageRecord),
    Store(StoreLine),
    Value(ValueLine),
    Plugin(PluginLine),
    End(Counts),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    part: Part,
    // By which version of the program.
    program: String,
    exported: Timestamp,
    // The number of the last write.
    writes: u64,
}

/// Of what it is an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Everything,
    Session,
    Values,
}

/// A message follows its session, in order.
#[derive(Debug, Serialize, Deserialize)]
struct MessageLine {
    session: SessionId,
    #[serde(flatten)]
    message: Message,
}

#[derive(Debug, Serialize, Deserialize)]
struct TurnLine {
    #[serde(flatten)]
    turn: Turn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    outcome: TurnOutcome,
    micros: u64,
}

/// Which version the values of a plugin have. It comes before them.
#[derive(Debug, Serialize, Deserialize)]
struct StoreLine {
    plugin: String,
    version: u32,
}

/// What a plugin keeps. The value is JSON in a text, so that it is to the byte what the plugin wrote.
#[derive(Debug, Serialize, Deserialize)]
struct ValueLine {
    plugin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    key: String,
    json: String,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

/// What an operator wanted of a plugin.
#[derive(Debug, Serialize, Deserialize)]
struct PluginLine {
    id: String,
    enabled: bool,
}

/// The last line: how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) sessions: u64,
    pub(crate) messages: u64,
    pub(crate) turns: u64,
    pub(crate) calls: u64,
    pub(crate) usage: u64,
    #[serde(default)]
    pub(crate) stores: u64,
    pub(crate) values: u64,
    pub(crate) plugins: u64,
}

impl Counts {
    fn count(&mut self, line: &Line) {
        let count = match line {
            Line::Session(_) => &mut self.sessions,
            Line::Message(_) => &mut self.messages,
            Line::Turn(_) => &mut self.turns,
            Line::Call(_) => &mut self.calls,
            Line::Usage(_) => &mut self.usage,
            Line::Store(_) => &mut self.stores,
            Line::Value(_) => &mut self.values,
            Line::Plugin(_) => &mut self.plugins,
            Line::Nekro(_) | Line::End(_) => return,
        };
        *count += 1;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sessions, messages, turns, calls, usage, stores, values, plugins } = self;
        write!(
            f,
            "{sessions} sessions with {messages} messages, {turns} turns, {calls} calls and {usage} answers of models; {values} values of {stores} plugins; {plugins} plugins switched"
        )
    }
}
