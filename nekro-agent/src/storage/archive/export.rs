//! Writing everything, or one session, as it is at one moment.

use std::{fmt, io, io::Write};

use jiff::Timestamp;
use nekro_core::{Scope, SessionId};
use rusqlite::{Connection, Row, params};

use super::{
    Counts, Ended, FORMAT, Header, Line, MessageLine, Part, PluginLine, StoreLine, TurnLine, ValueLine,
    texts::{CollectionLine, TextLine},
    work::{NoticeLine, ScheduleLine, TaskLine, WebhookLine},
};
use crate::storage::{
    DataDirectory, StorageError, Whose,
    database::{Access, open_existing},
    rows,
    values::Columns,
    whose::Rows,
};

/// Why an export ended early.
#[derive(Debug)]
pub(crate) enum ExportError {
    Storage(StorageError),
    Write(io::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(problem) => problem.fmt(f),
            Self::Write(error) => write!(f, "the export cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ExportError {}

impl<E: Into<StorageError>> From<E> for ExportError {
    fn from(problem: E) -> Self {
        Self::Storage(problem.into())
    }
}

/// Writes everything. An agent may be running meanwhile.
pub(crate) fn export(directory: &DataDirectory, to: &mut dyn Write, now: Timestamp) -> Result<Counts, ExportError> {
    let connection = open_existing(directory, Access::Read)?;
    let mut lines = Lines { to, counts: Counts::default() };
    let Some(connection) = connection else {
        lines.write(&header(Part::Everything, now, 0))?;
        return lines.end();
    };
    begin(&connection)?;
    lines.write(&header(Part::Everything, now, writes(&connection)?))?;
    let mut names = connection.prepare(&format!("SELECT {} FROM session ORDER BY written", rows::SESSION))?;
    for session in names.query_map([], rows::session)? {
        let session = session?;
        let id = session.id.clone();
        lines.write(&Line::Session(session))?;
        lines.messages(&connection, &id)?;
    }
    let all = |columns: &str, table: &str| format!("SELECT {columns} FROM {table} ORDER BY rowid");
    lines.all(&connection, &all(TURN, "turn"), [], turn)?;
    lines.all(&connection, &all(rows::CALL, "call"), [], |row| rows::call(row).map(Line::Call))?;
    lines.all(&connection, &all(rows::USAGE, "usage"), [], |row| rows::usage(row).map(Line::Usage))?;
    lines.all(&connection, "SELECT plugin, version FROM store ORDER BY plugin", [], store)?;
    lines.all(&connection, &values("TRUE", "plugin, session, user, key"), params![now.as_microsecond()], value)?;
    lines.all(&connection, "SELECT id, enabled FROM plugin ORDER BY id", [], |row| {
        Ok(Line::Plugin(PluginLine { id: row.get(0)?, enabled: row.get(1)? }))
    })?;
    lines.kept(&connection, None)?;
    lines.end()
}

/// Writes one session with everything in it; `None` if there is none of that name.
pub(crate) fn export_session(
    directory: &DataDirectory,
    id: &SessionId,
    to: &mut dyn Write,
    now: Timestamp,
) -> Result<Option<Counts>, ExportError> {
    let Some(connection) = open_existing(directory, Access::Read)? else { return Ok(None) };
    begin(&connection)?;
    let name = id.as_str();
    let found = connection.prepare(&format!("SELECT {} FROM session WHERE name = ?", rows::SESSION))?;
    let Some(session) = { found }.query_map([name], rows::session)?.next().transpose()? else { return Ok(None) };
    let mut lines = Lines { to, counts: Counts::default() };
    lines.write(&header(Part::Session, now, writes(&connection)?))?;
    lines.write(&Line::Session(session))?;
    lines.messages(&connection, id)?;
    let of_session = |columns: &str, table: &str| format!("SELECT {columns} FROM {table} WHERE session = ? ORDER BY rowid");
    lines.all(&connection, &of_session(TURN, "turn"), [name], turn)?;
    lines.all(&connection, &of_session(rows::CALL, "call"), [name], |row| rows::call(row).map(Line::Call))?;
    lines.all(&connection, &of_session(rows::USAGE, "usage"), [name], |row| rows::usage(row).map(Line::Usage))?;
    let whose = Whose::Session(id.clone());
    lines.values(&connection, &whose, now)?;
    lines.kept(&connection, Some(&whose))?;
    lines.end().map(Some)
}

/// Writes what a plugin keeps, or what plugins keep of a person.
pub(crate) fn export_values(
    directory: &DataDirectory,
    whose: &Whose,
    to: &mut dyn Write,
    now: Timestamp,
) -> Result<Counts, ExportError> {
    let connection = open_existing(directory, Access::Read)?;
    let mut lines = Lines { to, counts: Counts::default() };
    let Some(connection) = connection else {
        lines.write(&header(Part::Values, now, 0))?;
        return lines.end();
    };
    begin(&connection)?;
    lines.write(&header(Part::Values, now, writes(&connection)?))?;
    if let Whose::Plugin(plugin) = whose {
        lines.all(&connection, "SELECT plugin, version FROM store WHERE plugin = ?", [plugin.as_str()], store)?;
    }
    lines.values(&connection, whose, now)?;
    lines.kept(&connection, Some(whose))?;
    lines.end()
}

/// Returns the statement for values that are there at the moment `?1`.
fn values(condition: &str, order: &str) -> String {
    format!(
        "SELECT plugin, session, user, key, json, version, expires FROM value
         WHERE (expires IS NULL OR expires > ?1) AND {condition} ORDER BY {order}"
    )
}

fn store(row: &Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line::Store(StoreLine { plugin: row.get(0)?, version: row.get(1)? }))
}

const TURN: &str = "id, session, message, began, outcome, micros";

/// Everything is read as it is at this moment, whatever is written meanwhile.
fn begin(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.execute_batch("BEGIN")?)
}

fn header(part: Part, exported: Timestamp, writes: u64) -> Line {
    Line::Nekro(Header { format: FORMAT, part, program: env!("CARGO_PKG_VERSION").to_owned(), exported, writes })
}

fn writes(connection: &Connection) -> Result<u64, StorageError> {
    Ok(connection.query_row("SELECT count FROM writes", [], |row| row.get(0))?)
}

fn turn(row: &Row<'_>) -> rusqlite::Result<Line> {
    let ended = match row.get_ref(4)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(Ended { outcome: rows::word(row, 4)?, micros: row.get::<_, Option<u64>>(5)?.unwrap_or(0) }),
    };
    Ok(Line::Turn(TurnLine { turn: rows::turn(row)?, ended }))
}

fn value(row: &Row<'_>) -> rusqlite::Result<Line> {
    let Scope { plugin, session, user } = Columns::read(row)?;
    let expires: Option<i64> = row.get(6)?;
    Ok(Line::Value(ValueLine {
        plugin: plugin.to_string(),
        session: session.map(|id| id.to_string()),
        user: user.map(|id| id.to_string()),
        key: row.get(3)?,
        json: row.get(4)?,
        version: row.get(5)?,
        expires: expires.and_then(|micros| Timestamp::from_microsecond(micros).ok()),
    }))
}

struct Lines<'w> {
    to: &'w mut dyn Write,
    counts: Counts,
}

impl Lines<'_> {
    fn write(&mut self, line: &Line) -> Result<(), ExportError> {
        self.counts.count(line);
        serde_json::to_writer(&mut self.to, line).map_err(|error| ExportError::Write(error.into()))?;
        self.to.write_all(b"\n").map_err(ExportError::Write)
    }

    fn messages(&mut self, connection: &Connection, session: &SessionId) -> Result<(), ExportError> {
        let sql = format!("SELECT {} FROM message WHERE session = ? ORDER BY number", rows::MESSAGE);
        self.all(connection, &sql, [session.as_str()], |row| {
            Ok(Line::Message(MessageLine { session: session.clone(), message: rows::message(row)? }))
        })
    }

    fn all(
        &mut self,
        connection: &Connection,
        sql: &str,
        parameters: impl rusqlite::Params,
        line: impl FnMut(&Row<'_>) -> rusqlite::Result<Line>,
    ) -> Result<(), ExportError> {
        let mut statement = connection.prepare_cached(sql)?;
        for line in statement.query_map(parameters, line)? {
            self.write(&line?)?;
        }
        Ok(())
    }

    /// Writes the values of one.
    fn values(&mut self, connection: &Connection, whose: &Whose, now: Timestamp) -> Result<(), ExportError> {
        let Rows { condition, of } = whose.scoped();
        let values = values(&condition.replace('?', "?2"), "plugin, session, user, key");
        self.all(connection, &values, params![now.as_microsecond(), of], value)
    }

    /// Writes what plugins keep beside values: of one, or all.
    fn kept(&mut self, connection: &Connection, whose: Option<&Whose>) -> Result<(), ExportError> {
        let rows = |of: fn(&Whose) -> Rows| whose.map_or(Rows::all(), of);
        let (scoped, called, sent) = (rows(Whose::scoped), rows(Whose::called), rows(Whose::sent));
        let select = |columns: &str, table: &str, rows: &Rows, order: &str| {
            format!("SELECT {columns} FROM {table} WHERE {} ORDER BY {order}", rows.condition)
        };
        let mut collections = connection.prepare(&select(CollectionLine::COLUMNS, "vector_collection", &scoped, "id"))?;
        let mut texts = connection.prepare(TextLine::SELECT)?;
        let mut found = collections.query(scoped.parameter())?;
        while let Some(row) = found.next()? {
            let collection = CollectionLine::read(row)?;
            let id = collection.id;
            self.write(&Line::Collection(collection))?;
            let mut rows = texts.query([id])?;
            while let Some(row) = rows.next()? {
                self.write(&Line::Text(TextLine::read(row)?))?;
            }
        }
        let tasks = select(TaskLine::COLUMNS, "task", &called, "number");
        self.each(connection, &tasks, &called, |row| TaskLine::read(row).map(Line::Task))?;
        // Both halves have the parameter.
        let notices = NoticeLine::select(&called.condition.replace('?', "?1"));
        self.each(connection, &notices, &called, |row| NoticeLine::read(row).map(Line::Notice))?;
        let schedules = select(ScheduleLine::COLUMNS, "schedule", &called, "plugin, name");
        self.each(connection, &schedules, &called, |row| ScheduleLine::read(row).map(Line::Schedule))?;
        let webhooks = select(WebhookLine::COLUMNS, "delivery", &sent, "number");
        self.each(connection, &webhooks, &sent, |row| WebhookLine::read(row).map(Line::Webhook))
    }

    fn each(
        &mut self,
        connection: &Connection,
        sql: &str,
        rows: &Rows,
        line: impl Fn(&Row<'_>) -> Result<Line, StorageError>,
    ) -> Result<(), ExportError> {
        let mut statement = connection.prepare(sql)?;
        let mut found = statement.query(rows.parameter())?;
        while let Some(row) = found.next()? {
            self.write(&line(row)?)?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Counts, ExportError> {
        let counts = self.counts;
        self.write(&Line::End(counts))?;
        self.to.flush().map_err(ExportError::Write)?;
        Ok(counts)
    }
}
