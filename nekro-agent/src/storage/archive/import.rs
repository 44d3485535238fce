//! Reading an export: all of it is right and is written in one transaction, or nothing is.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use nekro_core::{PluginId, Scope, SessionId, Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};

use super::{Counts, FORMAT, Header, Line, MOST_LINE_BYTES, Part, texts};
use crate::{
    history::Session,
    storage::{DataDirectory, StorageError, database, rows, values::Columns},
};

/// What becomes of what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// It keeps anything from being imported.
    IntoNothing,
    /// It is removed.
    Replace,
}

/// Why nothing was imported.
#[derive(Debug)]
pub(crate) enum ImportError {
    /// A line is wrong.
    Line { number: u64, problem: String },
    /// The text cannot be read.
    Read(io::Error),
    /// There is something already.
    NotEmpty,
    /// It cannot be written.
    Storage(StorageError),
}

impl ImportError {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotEmpty => Some("`--replace` removes it first; `nekro data export` keeps it"),
            Self::Line { .. } => Some("nothing was imported"),
            Self::Read(_) => None,
            Self::Storage(problem) => problem.hint(),
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, problem } => write!(f, "line {number} of the export: {problem}"),
            Self::Read(error) => write!(f, "the export cannot be read: {error}"),
            Self::NotEmpty => f.write_str("the data directory has data already, and nothing was imported"),
            Self::Storage(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}

impl<E: Into<StorageError>> From<E> for ImportError {
    fn from(problem: E) -> Self {
        Self::Storage(problem.into())
    }
}

/// Imports an export of everything. No agent may be running.
pub(crate) fn import(directory: &DataDirectory, from: &mut dyn BufRead, how: Import) -> Result<Counts, ImportError> {
    let _agent = directory.lock()?;
    let mut connection = database::open(directory)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    make_room(&transaction, how)?;
    let mut reading = Reading { from, line: 0, counts: Counts::default(), conversation: None, collection: None, writes: 0 };
    reading.all(&transaction).map_err(|wrong| match wrong {
        Wrong::Read(error) => ImportError::Read(error),
        // Such a problem is not the text's.
        Wrong::Storage(problem @ (StorageError::Full | StorageError::ReadOnly(_) | StorageError::Damaged(_))) => problem.into(),
        Wrong::Storage(problem) => ImportError::Line { number: reading.line, problem: problem.to_string() },
        Wrong::Text(problem) => ImportError::Line { number: reading.line, problem },
    })?;
    transaction.execute("UPDATE writes SET count = ?", params![reading.writes])?;
    transaction.commit()?;
    Ok(reading.counts)
}

/// Where what is kept is.
const TABLES: &[&str] = &[
    "session",
    "message",
    "turn",
    "call",
    "usage",
    "value",
    "plugin",
    "vector_collection",
    "vector_point",
    "task",
    "task_notice",
    "task_wait",
    "schedule",
    "delivery",
];

fn make_room(connection: &Connection, how: Import) -> Result<(), ImportError> {
    for table in TABLES {
        match how {
            Import::Replace => drop(connection.execute(&format!("DELETE FROM {table}"), [])?),
            Import::IntoNothing => {
                // What functions declare is written down by every agent that starts.
                let own = if *table == "schedule" { "WHERE NOT declared" } else { "" };
                let any = format!("SELECT EXISTS (SELECT 1 FROM {table} {own})");
                if connection.query_row(&any, [], |row| row.get(0))? {
                    return Err(ImportError::NotEmpty);
                }
            }
        }
    }
    // The versions of values that are no longer there, and the words of texts.
    connection.execute("DELETE FROM store", [])?;
    connection.execute("DELETE FROM schedule", [])?;
    connection.execute("INSERT INTO vector_text (vector_text) VALUES ('delete-all')", [])?;
    Ok(())
}

enum Wrong {
    Read(io::Error),
    Text(String),
    Storage(StorageError),
}

impl From<StorageError> for Wrong {
    fn from(problem: StorageError) -> Self {
        Self::Storage(problem)
    }
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<&str> for Wrong {
    fn from(problem: &str) -> Self {
        Self::Text(problem.to_owned())
    }
}

impl From<String> for Wrong {
    fn from(problem: String) -> Self {
        Self::Text(problem)
    }
}

struct Reading<'r> {
    from: &'r mut dyn BufRead,
    line: u64,
    counts: Counts,
    // The session whose messages come, and how many came.
    conversation: Option<(SessionId, u64, u64)>,
    // The collection whose texts come.
    collection: Option<texts::Into>,
    // The number of the last write.
    writes: u64,
}

impl Reading<'_> {
    fn all(&mut self, connection: &Connection) -> Result<(), Wrong> {
        self.header()?;
        loop {
            let Some(line) = self.next()? else { return Err("the export was cut off here: its end is missing".into()) };
            if !matches!(line, Line::Message(_)) {
                self.end_of_conversation()?;
            }
            if !matches!(line, Line::Text(_)) {
                self.collection = None;
            }
            self.counts.count(&line);
            if let Line::End(counts) = line {
                if counts != self.counts {
                    return Err(format!("the export says that it has {counts}, but there were {}", self.counts).into());
                }
                break;
            }
            self.take(line, connection)?;
        }
        match self.next()? {
            Some(_) => Err("something follows the end of the export".into()),
            None => Ok(()),
        }
    }

    fn header(&mut self) -> Result<(), Wrong> {
        let Header { format, part, program, writes, .. } = match self.next() {
            Ok(Some(Line::Nekro(header))) => header,
            Err(Wrong::Read(error)) => return Err(Wrong::Read(error)),
            _ => return Err("this is no export of nekro: it begins with a line `{\"nekro\": …}`".into()),
        };
        if format != FORMAT {
            return Err(format!(
                "the export has format {format}, written by version {program}; this program reads format {FORMAT}"
            )
            .into());
        }
        match part {
            Part::Everything => {}
            Part::Session => {
                return Err("this is the export of a single session, to be read and not to be imported".into());
            }
            Part::Values => return Err("this is the export of some values, to be read and not to be imported".into()),
        }
        // The database counts up to here; a number near the end would leave no room for what comes.
        if writes > u64::from(u32::MAX) << 20 {
            return Err("`writes` is no true count".into());
        }
        self.writes = writes;
        Ok(())
    }

    fn take(&mut self, line: Line, connection: &Connection) -> Result<(), Wrong> {
        match line {
            Line::Nekro(_) => return Err("a second beginning".into()),
            Line::Session(session) => {
                // They come in the order in which they were used.
                self.writes += 1;
                rows::insert_session(connection, &session, self.writes.cast_signed())?;
                let Session { id, messages, .. } = session;
                self.conversation = Some((id, 0, messages));
            }
            Line::Message(line) => {
                let Some((session, count, _)) = self.conversation.as_mut().filter(|(id, ..)| *id == line.session) else {
                    return Err("a message follows its session".into());
                };
                *count += 1;
                if line.message.number != *count {
                    return Err(format!("the message has number {}, and {count} comes next", line.message.number).into());
                }
                rows::insert_message(connection, session, &line.message)?;
            }
            Line::Turn(line) => {
                let ended = line.ended.map(|ended| (ended.outcome, ended.micros));
                if !rows::insert_turn(connection, &line.turn, ended)? {
                    return Err(format!("there was a turn `{}` before", line.turn.id).into());
                }
            }
            Line::Call(call) => rows::insert_call(connection, &call)?,
            Line::Usage(usage) => rows::insert_usage(connection, &usage)?,
            Line::Value(value) => {
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&value.json) {
                    return Err(format!("the value is no JSON: {error}").into());
                }
                if value.version == 0 || value.version > self.writes {
                    return Err("the version of the value is none that was given".into());
                }
                let scope = Scope {
                    plugin: PluginId::from(value.plugin),
                    session: value.session.map(Into::into),
                    user: value.user.map(Into::into),
                };
                let columns = Columns::of(&scope);
                let expires = value.expires.map(Timestamp::as_microsecond);
                columns.insert(connection, (&value.key, &value.json), value.version.cast_signed(), expires)?;
            }
            Line::Store(store) => {
                if store.version == 0 {
                    return Err("the values of a plugin have version 1 or more".into());
                }
                connection
                    .prepare_cached("INSERT INTO store VALUES (?, ?, 0, 0)")?
                    .execute(params![store.plugin, store.version])?;
            }
            Line::Plugin(plugin) => {
                connection
                    .prepare_cached("INSERT INTO plugin (id, enabled) VALUES (?, ?)")?
                    .execute(params![plugin.id, plugin.enabled])?;
            }
            Line::Collection(collection) => self.collection = Some(collection.insert(connection)?),
            Line::Text(text) => match self.collection {
                Some(into) => text.insert(connection, into)?,
                None => return Err("a text follows its collection".into()),
            },
            Line::Task(task) => task.insert(connection)?,
            Line::Notice(notice) => notice.insert(connection)?,
            Line::Schedule(schedule) => schedule.insert(connection)?,
            Line::Webhook(webhook) => webhook.insert(connection)?,
            Line::End(_) => {}
        }
        Ok(())
    }

    fn end_of_conversation(&mut self) -> Result<(), Wrong> {
        match self.conversation.take() {
            Some((id, count, said)) if count != said => {
                Err(format!("the session `{id}` says that it has {said} messages, but {count} came").into())
            }
            _ => Ok(()),
        }
    }

    /// Reads the next line; `None` at the end.
    fn next(&mut self) -> Result<Option<Line>, Wrong> {
        self.line += 1;
        let mut bytes = Vec::new();
        (&mut *self.from).take(MOST_LINE_BYTES + 1).read_until(b'\n', &mut bytes).map_err(Wrong::Read)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() as u64 > MOST_LINE_BYTES {
            return Err(format!("it has more than {MOST_LINE_BYTES} bytes").into());
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|error| Wrong::Text(error.to_string()))
    }
}
