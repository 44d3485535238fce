//! Reading tasks.

use jiff::Timestamp;
use nekro_core::{PluginId, TaskRecord, TaskState};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::{id, micros, moment};
use crate::storage::{StorageError, most};

pub(super) const SELECT: &str =
    "SELECT number, plugin, name, state, percent, text, epoch, arguments, result, problem, waits, session, parent, schedule,
    retried, cancel, created, due, ended FROM task";

/// Tells whether something that began with a task runs, or could run now.
pub(crate) fn is_busy(db: &Connection, plugin: &str, root: i64, now: Timestamp) -> Result<bool, StorageError> {
    let busy = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM task WHERE plugin = ? AND ended IS NULL AND root = ? AND waits IS NULL
                AND (state = 'running' OR due <= ?))",
        )?
        .query_row(params![plugin, root, micros(now)], |row| row.get(0))?;
    Ok(busy)
}

/// Which tasks are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) plugin: Option<String>,
    pub(crate) state: Option<TaskState>,
    /// Those that failed and that nobody has retried.
    pub(crate) dead: bool,
    /// Those that were made before the one of this number.
    pub(crate) before: Option<i64>,
    pub(crate) limit: usize,
}

/// Returns a task.
pub(crate) fn find(db: &Connection, number: i64) -> Result<Option<TaskRecord>, StorageError> {
    let mut find = db.prepare_cached(&format!("{SELECT} WHERE number = ?"))?;
    find.query_and_then([number], record)?.next().transpose()
}

/// Returns a task of a plugin, or of any.
pub(crate) fn find_of(db: &Connection, plugin: Option<&str>, number: i64) -> Result<Option<TaskRecord>, StorageError> {
    Ok(find(db, number)?.filter(|record| plugin.is_none_or(|plugin| record.plugin.as_str() == plugin)))
}

/// Lists tasks, the newest first.
pub(crate) fn list(db: &Connection, wanted: &Listing) -> Result<Vec<TaskRecord>, StorageError> {
    let state = match wanted.state {
        Some(TaskState::Waiting) => "AND state = 'running' AND waits IS NOT NULL",
        Some(TaskState::Running) => "AND state = 'running' AND waits IS NULL",
        Some(_) => "AND state = ?2",
        None => "AND ?2 IS ?2",
    };
    let dead = if wanted.dead { "AND state = 'failed' AND retried IS NULL" } else { "" };
    let select = format!(
        "{SELECT} WHERE (?1 IS NULL OR plugin = ?1) AND (?4 IS NULL OR number < ?4) {state} {dead} ORDER BY number DESC LIMIT ?3"
    );
    let mut list = db.prepare_cached(&select)?;
    let rows = list
        .query_and_then(params![wanted.plugin, wanted.state.map(TaskState::name), most(wanted.limit), wanted.before], record)?;
    rows.collect()
}

pub(super) fn record(row: &Row<'_>) -> Result<TaskRecord, StorageError> {
    let json = |text: Option<String>| -> Result<Value, StorageError> {
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    };
    let (state, waits): (String, Option<String>) = (row.get(3)?, row.get(10)?);
    let state = match (state.as_str(), &waits) {
        ("queued", _) => TaskState::Queued,
        ("running", None) => TaskState::Running,
        ("running", Some(_)) => TaskState::Waiting,
        ("succeeded", _) => TaskState::Succeeded,
        ("failed", _) => TaskState::Failed,
        ("cancelled", _) => TaskState::Cancelled,
        (other, _) => return Err(StorageError::Record(format!("a task is {other:?}"))),
    };
    let mut record = TaskRecord::new(
        id(row.get(0)?),
        PluginId::from(row.get::<_, String>(1)?),
        row.get::<_, String>(2)?,
        moment(row.get(16)?)?,
    );
    record.state = state;
    record.progress = row.get(4)?;
    record.text = row.get(5)?;
    record.attempts = row.get(6)?;
    record.arguments = json(row.get(7)?)?;
    record.result = json(row.get(8)?)?;
    record.problem = row.get::<_, Option<String>>(9)?.map(|problem| serde_json::from_str(&problem)).transpose()?;
    record.waits_for = waits;
    record.session = row.get::<_, Option<String>>(11)?.map(Into::into);
    record.parent = row.get::<_, Option<i64>>(12)?.map(id);
    record.schedule = row.get(13)?;
    record.retried_as = row.get::<_, Option<i64>>(14)?.map(id);
    record.is_cancelled = row.get(15)?;
    record.due = moment(row.get(17)?)?;
    record.ended = row.get::<_, Option<i64>>(18)?.map(moment).transpose()?;
    Ok(record)
}
