//! Whose something is that plugins keep, as conditions on rows.

use jiff::Timestamp;
use nekro_core::{PluginId, SessionId, UserId};
use rusqlite::Connection;
use serde::Serialize;

use super::{StorageError, schedules, tasks, vectors};

/// Whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A plugin's.
    Plugin(PluginId),
    /// A person's, whichever plugin keeps it.
    User(UserId),
    /// A session's, whichever plugin keeps it.
    Session(SessionId),
}

/// Rows: a condition with at most one parameter, and the parameter.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) condition: &'static str,
    pub(super) of: Option<String>,
}

/// What was removed, and how many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Removed {
    pub(crate) values: u64,
    pub(crate) texts: u64,
    pub(crate) tasks: u64,
    pub(crate) schedules: u64,
    pub(crate) webhooks: u64,
}

impl std::fmt::Display for Removed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { values, texts, tasks, schedules, webhooks } = self;
        write!(f, "{values} values, {texts} texts, {tasks} tasks, {schedules} schedules and {webhooks} webhooks were deleted")
    }
}

impl Rows {
    fn of(condition: &'static str, of: impl Into<String>) -> Self {
        Self { condition, of: Some(of.into()) }
    }

    /// All there are.
    pub(super) const fn all() -> Self {
        Self { condition: "TRUE", of: None }
    }

    /// None of them.
    const fn none() -> Self {
        Self { condition: "FALSE", of: None }
    }

    /// Returns the parameter, to be bound.
    pub(super) fn parameter(&self) -> impl rusqlite::Params + '_ {
        rusqlite::params_from_iter(&self.of)
    }
}

impl Whose {
    /// Returns which values and which collections, by their scopes.
    pub(super) fn scoped(&self) -> Rows {
        match self {
            Self::Plugin(plugin) => Rows::of("plugin = ?", plugin.as_str()),
            Self::User(user) => Rows::of("user = ? AND user <> ''", format!("={user}")),
            Self::Session(session) => Rows::of("session = ? AND session <> ''", format!("={session}")),
        }
    }

    /// Returns which tasks and which schedules, by their callers.
    pub(super) fn called(&self) -> Rows {
        match self {
            Self::Plugin(plugin) => Rows::of("plugin = ?", plugin.as_str()),
            Self::User(user) => Rows::of("json_extract(caller, '$.user') = ?", user.as_str()),
            Self::Session(session) => Rows::of("json_extract(caller, '$.session') = ?", session.as_str()),
        }
    }

    /// Returns which webhooks: they come from machines, and to plugins.
    pub(super) fn sent(&self) -> Rows {
        match self {
            Self::Plugin(plugin) => Rows::of("plugin = ?", plugin.as_str()),
            Self::User(_) | Self::Session(_) => Rows::none(),
        }
    }
}

/// Removes all that plugins keep of one. A task that runs is cancelled, and forgotten in its time. What was spent stays booked.
pub(super) fn remove(db: &Connection, whose: &Whose, now: Timestamp) -> Result<Removed, StorageError> {
    let delete = |table: &str, rows: &Rows| -> Result<u64, StorageError> {
        Ok(db.prepare_cached(&format!("DELETE FROM {table} WHERE {}", rows.condition))?.execute(rows.parameter())? as u64)
    };
    let removed = Removed {
        values: delete("value", &whose.scoped())?,
        texts: vectors::remove_collections(db, &whose.scoped())?,
        // They come first: what ends may change its schedule.
        tasks: tasks::remove(db, &whose.called(), now)?,
        schedules: schedules::remove_of(db, &whose.called())?,
        webhooks: delete("delivery", &whose.sent())?,
    };
    if let Whose::Plugin(plugin) = whose {
        // It begins anew, with the version of the program that writes next.
        db.execute("DELETE FROM store WHERE plugin = ?", [plugin.as_str()])?;
    }
    Ok(removed)
}
