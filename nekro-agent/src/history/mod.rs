//! What is kept of conversations: the records, and the port that a database stands behind.
//!
//! Whatever has been written when a method returns survives the end of the process, whenever that comes.

mod memory;
mod record;
#[cfg(test)]
pub(crate) mod rules;

use jiff::Timestamp;
use nekro_core::{BoxFuture, PluginId, Result, SessionId, TurnId, event::facts::TurnOutcome};

pub(crate) use self::memory::MemoryHistory;
pub(crate) use self::record::{
    Body, CallRecord, File, Listing, Message, NewMessage, Session, SessionSettings, Turn, UsageRecord, UsageTotal,
};

/// Where conversations are kept. Implemented by the database of the data directory, and in memory for tests; one suite of tests holds
/// for both.
pub(crate) trait HistoryPort: Send + Sync {
    /// Returns a session; `None` if there is none of that name.
    fn session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<Session>>>;

    /// Begins a session. Returns whether there was none of that name.
    fn begin_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>>;

    /// Changes what is set for a session.
    fn set_session<'a>(&'a self, id: &'a SessionId, settings: SessionSettings) -> BoxFuture<'a, Result<()>>;

    /// Lists sessions, the one that was used last first; `after` is where the page before ended.
    fn sessions<'a>(&'a self, after: Option<&'a SessionId>, limit: usize) -> BoxFuture<'a, Result<Listing<Session>>>;

    /// Removes a session with everything in it. Returns whether there was one.
    fn delete_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>>;

    /// Hides the messages so far from the model: the conversation begins anew. Returns how many there were.
    fn clear_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<u64>>;

    /// Writes messages, all or none, and returns them with their ids and numbers. The session begins if it has not.
    fn append<'a>(&'a self, session: &'a SessionId, messages: Vec<NewMessage>) -> BoxFuture<'a, Result<Vec<Message>>>;

    /// Lists the messages before a number, newest first. Hidden ones are left out unless wanted.
    fn messages<'a>(
        &'a self,
        session: &'a SessionId,
        before: Option<u64>,
        limit: usize,
        hidden: bool,
    ) -> BoxFuture<'a, Result<Vec<Message>>>;

    /// Hides or rewrites one message, after plugins had their say. Its first text is kept.
    fn revise<'a>(&'a self, session: &'a SessionId, number: u64, text: Option<String>, hidden: bool)
    -> BoxFuture<'a, Result<()>>;

    /// Writes that a turn began.
    fn begin_turn<'a>(&'a self, turn: Turn) -> BoxFuture<'a, Result<()>>;

    /// Writes how a turn ended, once: of a turn that has ended the first outcome stays. Returns whether this was it.
    fn end_turn<'a>(&'a self, turn: &'a TurnId, outcome: TurnOutcome, micros: u64) -> BoxFuture<'a, Result<bool>>;

    /// Returns the turns that began and never ended: those that the end of a process cut off.
    fn open_turns(&self) -> BoxFuture<'_, Result<Vec<Turn>>>;

    /// Writes a call of a tool with its full result.
    fn record_call(&self, call: CallRecord) -> BoxFuture<'_, Result<()>>;

    /// Lists the calls of a session, oldest first.
    fn calls<'a>(&'a self, session: &'a SessionId, limit: usize) -> BoxFuture<'a, Result<Vec<CallRecord>>>;

    /// Writes what an answer of a model cost.
    fn record_usage(&self, usage: UsageRecord) -> BoxFuture<'_, Result<()>>;

    /// Returns what a session has cost.
    fn usage<'a>(&'a self, session: &'a SessionId) -> BoxFuture<'a, Result<UsageTotal>>;

    /// Returns what a plugin has cost since a moment, in one turn if one is named.
    fn usage_of_plugin<'a>(
        &'a self,
        plugin: &'a PluginId,
        since: Timestamp,
        turn: Option<&'a TurnId>,
    ) -> BoxFuture<'a, Result<UsageTotal>>;

    /// Writes whether an operator wants a plugin to run; `None` for what the settings say.
    fn set_enabled<'a>(&'a self, plugin: &'a str, enabled: Option<bool>) -> BoxFuture<'a, Result<()>>;

    /// Returns what operators wanted of plugins.
    fn enabled(&self) -> BoxFuture<'_, Result<Vec<(String, bool)>>>;
}
