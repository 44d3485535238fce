//! Records as rows, and rows as records. Whatever the tables look like, nobody else knows.

use jiff::Timestamp;
use nekro_core::{MessageId, SessionId, event::facts::TurnOutcome};
use rusqlite::{
    Connection, Row, params,
    types::{FromSqlError, Type},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IntoDeserializer, de::value::Error as WordError};

use super::StorageError;
use crate::{
    history::{CallRecord, Message, Session, Turn, UsageRecord},
    model::Usage,
};

/// The columns of [`session`].
pub(super) const SESSION: &str = "name, began, used, messages, settings";
/// The columns of [`message`].
pub(super) const MESSAGE: &str = "id, number, turn, at, hidden, body";
/// The columns of [`turn`].
pub(super) const TURN: &str = "id, session, message, began";
/// The columns of [`call`].
pub(super) const CALL: &str = "id, session, turn, at, tool, arguments, result, outcome, micros";
/// The columns of [`usage`].
pub(super) const USAGE: &str = "session, turn, at, model, input_tokens, output_tokens, cached_tokens, cost_micros, plugin";

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: SessionId::from(row.get::<_, String>(0)?),
        began: time(row, 1)?,
        used: time(row, 2)?,
        messages: row.get(3)?,
        settings: json(row, 4)?,
    })
}

pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: MessageId::from(row.get::<_, String>(0)?),
        number: row.get(1)?,
        turn: row.get::<_, Option<String>>(2)?.map(Into::into),
        at: time(row, 3)?,
        hidden: row.get(4)?,
        body: json(row, 5)?,
    })
}

pub(super) fn turn(row: &Row<'_>) -> rusqlite::Result<Turn> {
    Ok(Turn {
        id: row.get::<_, String>(0)?.into(),
        session: row.get::<_, String>(1)?.into(),
        message: row.get::<_, Option<String>>(2)?.map(Into::into),
        began: time(row, 3)?,
    })
}

pub(super) fn call(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    Ok(CallRecord {
        id: row.get::<_, String>(0)?.into(),
        session: row.get::<_, Option<String>>(1)?.map(Into::into),
        turn: row.get::<_, Option<String>>(2)?.map(Into::into),
        at: time(row, 3)?,
        tool: row.get(4)?,
        arguments: row.get(5)?,
        result: row.get(6)?,
        outcome: word(row, 7)?,
        micros: row.get(8)?,
    })
}

pub(super) fn usage(row: &Row<'_>) -> rusqlite::Result<UsageRecord> {
    Ok(UsageRecord {
        plugin: row.get::<_, Option<String>>(8)?.map(Into::into),
        session: row.get::<_, Option<String>>(0)?.map(Into::into),
        turn: row.get::<_, Option<String>>(1)?.map(Into::into),
        at: time(row, 2)?,
        model: row.get(3)?,
        usage: Usage { input_tokens: row.get(4)?, output_tokens: row.get(5)?, cached_tokens: row.get(6)? },
        cost_micros: row.get(7)?,
    })
}

pub(super) fn insert_session(connection: &Connection, session: &Session, written: i64) -> Result<(), StorageError> {
    connection
        .prepare_cached("INSERT INTO session (name, began, used, written, messages, settings) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            session.id.as_str(),
            session.began.as_microsecond(),
            session.used.as_microsecond(),
            written,
            number(session.messages),
            serde_json::to_string(&session.settings)?,
        ])?;
    Ok(())
}

pub(super) fn insert_message(connection: &Connection, session: &SessionId, message: &Message) -> Result<(), StorageError> {
    connection
        .prepare_cached("INSERT INTO message (session, number, id, turn, at, hidden, body) VALUES (?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            session.as_str(),
            number(message.number),
            message.id.as_str(),
            message.turn.as_ref().map(|id| id.as_str()),
            message.at.as_microsecond(),
            message.hidden,
            serde_json::to_string(&message.body)?,
        ])?;
    Ok(())
}

/// Writes a turn, and how it ended if it did. Returns whether there was none of its id.
pub(super) fn insert_turn(connection: &Connection, turn: &Turn, ended: Option<(TurnOutcome, u64)>) -> Result<bool, StorageError> {
    let (outcome, micros) = ended.unzip();
    let inserted = connection
        .prepare_cached("INSERT OR IGNORE INTO turn (id, session, message, began, outcome, micros) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            turn.id.as_str(),
            turn.session.as_str(),
            turn.message.as_ref().map(|id| id.as_str()),
            turn.began.as_microsecond(),
            outcome.map(|outcome| as_word(&outcome)).transpose()?,
            micros.map(number),
        ])?;
    Ok(inserted > 0)
}

pub(super) fn insert_call(connection: &Connection, call: &CallRecord) -> Result<(), StorageError> {
    connection
        .prepare_cached(
            "INSERT INTO call (id, session, turn, at, tool, arguments, result, outcome, micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            call.id.as_str(),
            call.session.as_ref().map(|id| id.as_str()),
            call.turn.as_ref().map(|id| id.as_str()),
            call.at.as_microsecond(),
            call.tool,
            call.arguments,
            call.result,
            as_word(&call.outcome)?,
            number(call.micros),
        ])?;
    Ok(())
}

pub(super) fn insert_usage(connection: &Connection, usage: &UsageRecord) -> Result<(), StorageError> {
    connection
        .prepare_cached(
            "INSERT INTO usage (session, turn, at, model, input_tokens, output_tokens, cached_tokens, cost_micros, plugin)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            usage.session.as_ref().map(|session| session.as_str()),
            usage.turn.as_ref().map(|turn| turn.as_str()),
            usage.at.as_microsecond(),
            usage.model,
            number(usage.usage.input_tokens),
            number(usage.usage.output_tokens),
            number(usage.usage.cached_tokens),
            usage.cost_micros.map(number),
            usage.plugin.as_ref().map(|plugin| plugin.as_str()),
        ])?;
    Ok(())
}

/// Takes what the database has no room for off a moment: databases count in microseconds.
pub(super) fn to_micros(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}

/// A count as the database takes it. What is larger than it has room for is no true count.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes the variant of an enum as its word.
pub(super) fn as_word(variant: &impl Serialize) -> Result<String, StorageError> {
    match serde_json::to_value(variant)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(StorageError::Record(format!("{other} is no word"))),
    }
}

/// Reads the variant of an enum.
pub(super) fn word<T: for<'de> Deserialize<'de>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    let read: Result<T, WordError> = T::deserialize(word.into_deserializer());
    read.map_err(|error| wrong(column, error))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros: i64 = row.get(column)?;
    Timestamp::from_microsecond(micros).map_err(|_| FromSqlError::OutOfRange(micros).into())
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| wrong(column, error))
}

fn wrong(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
