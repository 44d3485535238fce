//! Everything that is kept as one text, to keep elsewhere and to bring back: JSON Lines, described in `docs/data.md`.
//!
//! Each line is an object with one key, which says what it is. The first says which format it is, the last how many lines of each kind
//! there were: a text that was cut off is noticed.

mod delete;
mod export;
mod import;
mod texts;
mod work;

use jiff::Timestamp;
use nekro_core::{SessionId, event::facts::TurnOutcome};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    delete::delete,
    export::{ExportError, export, export_session, export_values},
    import::{Import, ImportError, import},
};
use self::{
    texts::{CollectionLine, TextLine},
    work::{NoticeLine, ScheduleLine, TaskLine, WebhookLine},
};
use crate::history::{CallRecord, Message, Session, Turn, UsageRecord};

/// The format that is written. Another one is refused.
const FORMAT: u32 = 1;

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
    Collection(CollectionLine),
    Text(TextLine),
    Task(TaskLine),
    Notice(NoticeLine),
    Schedule(ScheduleLine),
    Webhook(WebhookLine),
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
    #[serde(default)]
    pub(crate) collections: u64,
    #[serde(default)]
    pub(crate) texts: u64,
    #[serde(default)]
    pub(crate) tasks: u64,
    #[serde(default)]
    pub(crate) notices: u64,
    #[serde(default)]
    pub(crate) schedules: u64,
    #[serde(default)]
    pub(crate) webhooks: u64,
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
            Line::Collection(_) => &mut self.collections,
            Line::Text(_) => &mut self.texts,
            Line::Task(_) => &mut self.tasks,
            Line::Notice(_) => &mut self.notices,
            Line::Schedule(_) => &mut self.schedules,
            Line::Webhook(_) => &mut self.webhooks,
            Line::Nekro(_) | Line::End(_) => return,
        };
        *count += 1;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sessions, messages, turns, calls, usage, stores, values, plugins, .. } = self;
        let Self { collections, texts, tasks, schedules, webhooks, .. } = self;
        write!(
            f,
            "{sessions} sessions with {messages} messages, {turns} turns, {calls} calls and {usage} answers of models; {values} values of {stores} plugins; {plugins} plugins switched; {texts} texts in {collections} collections; {tasks} tasks, {schedules} schedules and {webhooks} webhooks"
        )
    }
}
