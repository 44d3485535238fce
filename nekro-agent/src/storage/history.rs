//! Conversations.

use jiff::Timestamp;
use nekro_core::{BoxFuture, Error, PluginId, Result, SessionId, TurnId, event::facts::TurnOutcome};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Removed, Storage, StorageError, Whose, most, next_write, rows, whose};
use crate::{
    history::{CallRecord, HistoryPort, Listing, Message, NewMessage, Session, SessionSettings, Turn, UsageRecord, UsageTotal},
    model::Usage,
};

impl HistoryPort for Storage {
    fn session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<Session>>> {
        Box::pin(async move { Ok(self.read(|connection| session(connection, id)).await?) })
    }

    fn begin_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>> {
        let (id, now) = (id.clone(), self.now());
        Box::pin(async move { Ok(self.write(move |connection| begin(connection, &id, now)).await?) })
    }

    fn set_session<'a>(&'a self, id: &'a SessionId, settings: SessionSettings) -> BoxFuture<'a, Result<()>> {
        let name = id.clone();
        Box::pin(async move {
            let set = move |connection: &Connection| {
                let mut set = connection.prepare_cached("UPDATE session SET settings = ? WHERE name = ?")?;
                Ok(set.execute(params![serde_json::to_string(&settings)?, name.as_str()])?)
            };
            match self.write(set).await? {
                0 => Err(Error::new(format!("there is no session `{id}`")).with_code("unknown_session")),
                _ => Ok(()),
            }
        })
    }

    fn sessions<'a>(&'a self, after: Option<&'a SessionId>, limit: usize) -> BoxFuture<'a, Result<Listing<Session>>> {
        let after = after.cloned();
        Box::pin(async move {
            let found = self.scan(move |connection| sessions(connection, after.as_ref(), limit)).await?;
            let more = found.len() > limit;
            Ok(Listing { items: found.into_iter().take(limit).collect(), more })
        })
    }

    fn delete_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>> {
        let (id, now) = (id.clone(), self.now());
        Box::pin(async move { Ok(self.write(move |connection| delete(connection, &id, now)).await?) })
    }

    fn clear_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<u64>> {
        let id = id.clone();
        Box::pin(async move {
            let clear = move |connection: &Connection| {
                let mut hide = connection.prepare_cached("UPDATE message SET hidden = 1 WHERE session = ? AND NOT hidden")?;
                Ok(hide.execute([id.as_str()])? as u64)
            };
            Ok(self.write(clear).await?)
        })
    }

    fn append<'a>(&'a self, session: &'a SessionId, messages: Vec<NewMessage>) -> BoxFuture<'a, Result<Vec<Message>>> {
        let (session, now) = (session.clone(), self.now());
        Box::pin(async move { Ok(self.write(move |connection| append(connection, &session, messages, now)).await?) })
    }

    fn messages<'a>(
        &'a self,
        session: &'a SessionId,
        before: Option<u64>,
        limit: usize,
        hidden: bool,
    ) -> BoxFuture<'a, Result<Vec<Message>>> {
        let session = session.clone();
        Box::pin(async move {
            let list = move |connection: &Connection| {
                let mut list = connection.prepare_cached(&format!(
                    "SELECT {} FROM message WHERE session = ? AND number < ? AND hidden <= ? ORDER BY number DESC LIMIT ?",
                    rows::MESSAGE
                ))?;
                let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
                let found = list.query_map(params![session.as_str(), before, hidden, most(limit)], rows::message)?;
                Ok(found.collect::<rusqlite::Result<_>>()?)
            };
            Ok(self.scan(list).await?)
        })
    }

    fn revise<'a>(
        &'a self,
        session: &'a SessionId,
        number: u64,
        text: Option<String>,
        hidden: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let name = session.clone();
        Box::pin(async move {
            match self.write(move |connection| revise(connection, &name, number, text, hidden)).await? {
                true => Ok(()),
                false => Err(Error::new(format!("the session `{session}` has no message {number}")).with_code("unknown_message")),
            }
        })
    }

    fn begin_turn<'a>(&'a self, turn: Turn) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let begin = move |connection: &Connection| match rows::insert_turn(connection, &turn, None)? {
                true => Ok(()),
                false => Err(StorageError::Exists(format!("a turn `{}`", turn.id))),
            };
            Ok(self.write(begin).await?)
        })
    }

    fn end_turn<'a>(&'a self, turn: &'a TurnId, outcome: TurnOutcome, micros: u64) -> BoxFuture<'a, Result<bool>> {
        let turn = turn.clone();
        Box::pin(async move {
            let end = move |connection: &Connection| {
                let mut end =
                    connection.prepare_cached("UPDATE turn SET outcome = ?, micros = ? WHERE id = ? AND outcome IS NULL")?;
                Ok(end.execute(params![rows::as_word(&outcome)?, i64::try_from(micros).ok(), turn.as_str()])? > 0)
            };
            Ok(self.write(end).await?)
        })
    }

    fn open_turns(&self) -> BoxFuture<'_, Result<Vec<Turn>>> {
        Box::pin(async move {
            let list = |connection: &Connection| {
                let mut list = connection
                    .prepare_cached(&format!("SELECT {} FROM turn WHERE outcome IS NULL ORDER BY began, rowid", rows::TURN))?;
                let found = list.query_map([], rows::turn)?;
                Ok(found.collect::<rusqlite::Result<_>>()?)
            };
            Ok(self.scan(list).await?)
        })
    }

    fn record_call(&self, call: CallRecord) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(self.write(move |connection| rows::insert_call(connection, &call)).await?) })
    }

    fn calls<'a>(&'a self, session: &'a SessionId, limit: usize) -> BoxFuture<'a, Result<Vec<CallRecord>>> {
        let session = session.clone();
        Box::pin(async move {
            let list = move |connection: &Connection| {
                let mut list = connection
                    .prepare_cached(&format!("SELECT {} FROM call WHERE session = ? ORDER BY rowid LIMIT ?", rows::CALL))?;
                let found = list.query_map(params![session.as_str(), most(limit)], rows::call)?;
                Ok(found.collect::<rusqlite::Result<_>>()?)
            };
            Ok(self.scan(list).await?)
        })
    }

    fn record_usage(&self, usage: UsageRecord) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(self.write(move |connection| rows::insert_usage(connection, &usage)).await?) })
    }

    fn usage<'a>(&'a self, session: &'a SessionId) -> BoxFuture<'a, Result<UsageTotal>> {
        let session = session.clone();
        Box::pin(async move { Ok(self.scan(move |connection| usage(connection, &session)).await?) })
    }

    fn usage_of_plugin<'a>(
        &'a self,
        plugin: &'a PluginId,
        since: Timestamp,
        turn: Option<&'a TurnId>,
    ) -> BoxFuture<'a, Result<UsageTotal>> {
        let (plugin, turn) = (plugin.clone(), turn.cloned());
        Box::pin(
            async move { Ok(self.scan(move |connection| usage_of_plugin(connection, &plugin, since, turn.as_ref())).await?) },
        )
    }

    fn set_enabled<'a>(&'a self, plugin: &'a str, enabled: Option<bool>) -> BoxFuture<'a, Result<()>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let set = move |connection: &Connection| {
                match enabled {
                    Some(enabled) => connection
                        .prepare_cached(
                            "INSERT INTO plugin (id, enabled) VALUES (?, ?) ON CONFLICT DO UPDATE SET enabled = excluded.enabled",
                        )?
                        .execute(params![plugin, enabled])?,
                    None => connection.prepare_cached("DELETE FROM plugin WHERE id = ?")?.execute([plugin])?,
                };
                Ok(())
            };
            Ok(self.write(set).await?)
        })
    }

    fn enabled(&self) -> BoxFuture<'_, Result<Vec<(String, bool)>>> {
        Box::pin(async move {
            let list = |connection: &Connection| {
                let mut list = connection.prepare_cached("SELECT id, enabled FROM plugin ORDER BY id")?;
                let found = list.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(found.collect::<rusqlite::Result<_>>()?)
            };
            Ok(self.read(list).await?)
        })
    }
}

impl Storage {
    pub(crate) fn now(&self) -> Timestamp {
        rows::to_micros(self.clock.now())
    }
}

fn session(connection: &Connection, id: &SessionId) -> Result<Option<Session>, StorageError> {
    let mut find = connection.prepare_cached(&format!("SELECT {} FROM session WHERE name = ?", rows::SESSION))?;
    Ok(find.query_row([id.as_str()], rows::session).optional()?)
}

/// Begins a session if there is none. Returns whether there was none.
fn begin(connection: &Connection, id: &SessionId, now: Timestamp) -> Result<bool, StorageError> {
    let is_new = session(connection, id)?.is_none();
    if is_new {
        let session = Session { id: id.clone(), began: now, used: now, messages: 0, settings: SessionSettings::default() };
        rows::insert_session(connection, &session, next_write(connection)?)?;
    }
    Ok(is_new)
}

/// Lists one more than wanted, if there is one more.
fn sessions(connection: &Connection, after: Option<&SessionId>, limit: usize) -> Result<Vec<Session>, StorageError> {
    // A session that is not there was the last of nothing: nothing comes after it.
    let mut list = connection.prepare_cached(&format!(
        "SELECT {} FROM session
         WHERE ?1 IS NULL OR written < (SELECT written FROM session WHERE name = ?1)
         ORDER BY written DESC LIMIT ?2",
        rows::SESSION
    ))?;
    let found = list.query_map(params![after.map(|id| id.as_str()), most(limit.saturating_add(1))], rows::session)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Removes a session with everything in it, and what plugins have kept for it.
fn delete(connection: &Connection, id: &SessionId, now: Timestamp) -> Result<bool, StorageError> {
    let there = connection.prepare_cached("DELETE FROM session WHERE name = ?")?.execute([id.as_str()])? > 0;
    // What plugins have spent stays booked: the day's budget would otherwise be fresh again.
    connection.execute("UPDATE usage SET session = NULL, turn = NULL WHERE session = ? AND plugin IS NOT NULL", [id.as_str()])?;
    for table in ["message", "turn", "call", "usage"] {
        connection.execute(&format!("DELETE FROM {table} WHERE session = ?"), [id.as_str()])?;
    }
    let removed = whose::remove(connection, &Whose::Session(id.clone()), now)?;
    Ok(there || removed != Removed::default())
}

fn append(
    connection: &Connection,
    id: &SessionId,
    messages: Vec<NewMessage>,
    now: Timestamp,
) -> Result<Vec<Message>, StorageError> {
    begin(connection, id, now)?;
    let before: u64 =
        connection.prepare_cached("SELECT messages FROM session WHERE name = ?")?.query_row([id.as_str()], |row| row.get(0))?;
    let mut written = Vec::with_capacity(messages.len());
    for (number, NewMessage { turn, hidden, body }) in (before + 1..).zip(messages) {
        let message = Message { id: format!("{id}-message-{number}").into(), number, turn, at: now, hidden, body };
        rows::insert_message(connection, id, &message)?;
        written.push(message);
    }
    connection.prepare_cached("UPDATE session SET messages = ?, used = ?, written = ? WHERE name = ?")?.execute(params![
        before + written.len() as u64,
        now.as_microsecond(),
        next_write(connection)?,
        id.as_str()
    ])?;
    Ok(written)
}

/// Changes a message. Returns whether there is one.
fn revise(
    connection: &Connection,
    session: &SessionId,
    number: u64,
    text: Option<String>,
    hidden: bool,
) -> Result<bool, StorageError> {
    let mut find =
        connection.prepare_cached(&format!("SELECT {} FROM message WHERE session = ? AND number = ?", rows::MESSAGE))?;
    // No message has a number that the database has no room for.
    let Ok(number) = i64::try_from(number) else { return Ok(false) };
    let Some(mut message) = find.query_row(params![session.as_str(), number], rows::message).optional()? else {
        return Ok(false);
    };
    if let Some(text) = text {
        message.body.rewrite(text);
    }
    connection.prepare_cached("UPDATE message SET hidden = ?, body = ? WHERE session = ? AND number = ?")?.execute(params![
        hidden,
        serde_json::to_string(&message.body)?,
        session.as_str(),
        number
    ])?;
    Ok(true)
}

/// What sums up the rows of `usage`, for [`total`]. `sum` fails when it overflows, and `total` does not; up to 2^53 it is exact.
const TOTAL: &str = "SELECT count(*), CAST(total(input_tokens) AS INTEGER), CAST(total(output_tokens) AS INTEGER),
    CAST(total(cached_tokens) AS INTEGER), CAST(total(cost_micros) AS INTEGER) FROM usage";

fn usage(connection: &Connection, session: &SessionId) -> Result<UsageTotal, StorageError> {
    let mut sum = connection.prepare_cached(&format!("{TOTAL} WHERE session = ?"))?;
    Ok(sum.query_row([session.as_str()], total)?)
}

fn usage_of_plugin(
    connection: &Connection,
    plugin: &PluginId,
    since: Timestamp,
    turn: Option<&TurnId>,
) -> Result<UsageTotal, StorageError> {
    let mut sum = connection.prepare_cached(&format!("{TOTAL} WHERE plugin = ?1 AND at >= ?2 AND (?3 IS NULL OR turn = ?3)"))?;
    Ok(sum.query_row(params![plugin.as_str(), since.as_microsecond(), turn.map(|turn| turn.as_str())], total)?)
}

fn total(row: &rusqlite::Row<'_>) -> rusqlite::Result<UsageTotal> {
    Ok(UsageTotal {
        answers: row.get(0)?,
        usage: Usage { input_tokens: row.get(1)?, output_tokens: row.get(2)?, cached_tokens: row.get(3)? },
        cost_micros: row.get(4)?,
    })
}
