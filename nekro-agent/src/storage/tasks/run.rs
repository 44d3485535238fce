//! What a run writes, and what it is told. Each write names its run: one that does not count changes nothing.

use jiff::Timestamp;
use nekro_core::TaskProblem;
use rusqlite::{Connection, OptionalExtension, params};

use super::{RunId, find_of, micros, moment};
use crate::storage::StorageError;

/// Puts a task that failed back into the queue.
pub(crate) fn try_later(db: &Connection, run: RunId, problem: &TaskProblem, due: Timestamp) -> Result<bool, StorageError> {
    let changed = db
        .prepare_cached(
            "UPDATE task SET state = 'queued', due = ?, owner = NULL, lease = NULL, waits = NULL, lost = 0, failures = failures + 1, problem = ?
             WHERE number = ? AND epoch = ? AND state = 'running'",
        )?
        .execute(params![micros(due), serde_json::to_string(problem)?, run.number, run.epoch])?;
    Ok(changed > 0)
}

/// Puts a task back into the queue that was interrupted through no fault of its own.
pub(crate) fn release(db: &Connection, run: RunId, now: Timestamp) -> Result<bool, StorageError> {
    let changed = db
        .prepare_cached(
            "UPDATE task SET state = 'queued', due = ?, owner = NULL, lease = NULL, waits = NULL WHERE number = ? AND epoch = ? AND state = 'running'",
        )?
        .execute(params![micros(now), run.number, run.epoch])?;
    Ok(changed > 0)
}

/// Keeps how far a run has come.
pub(crate) fn progress(db: &Connection, run: RunId, percent: u8, text: &str) -> Result<(), StorageError> {
    db.prepare_cached("UPDATE task SET percent = ?, text = ? WHERE number = ? AND epoch = ? AND state = 'running'")?
        .execute(params![percent, text, run.number, run.epoch])?;
    Ok(())
}

/// Keeps what the next run begins with. Returns whether the run counts.
pub(crate) fn checkpoint(db: &Connection, run: RunId, json: &str) -> Result<bool, StorageError> {
    let changed = db
        .prepare_cached("UPDATE task SET checkpoint = ?, lost = 0 WHERE number = ? AND epoch = ? AND state = 'running'")?
        .execute(params![json, run.number, run.epoch])?;
    Ok(changed > 0)
}

/// Begins to wait for a notice, and returns until when. `None` if the run does not count.
pub(crate) fn begin_to_wait(
    db: &Connection,
    run: RunId,
    name: &str,
    until: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    if !waits(db, run, Some(name))? {
        return Ok(None);
    }
    db.prepare_cached("INSERT OR IGNORE INTO task_wait (task, name, until) VALUES (?, ?, ?)")?.execute(params![
        run.number,
        name,
        micros(until)
    ])?;
    let until = db
        .prepare_cached("SELECT until FROM task_wait WHERE task = ? AND name = ?")?
        .query_row(params![run.number, name], |row| row.get(0))?;
    moment(until).map(Some)
}

/// Says what a run waits for, if anything. Returns whether it counts.
pub(crate) fn waits(db: &Connection, run: RunId, what: Option<&str>) -> Result<bool, StorageError> {
    let changed = db
        .prepare_cached("UPDATE task SET waits = ?, lost = 0 WHERE number = ? AND epoch = ? AND state = 'running'")?
        .execute(params![what, run.number, run.epoch])?;
    Ok(changed > 0)
}

/// Returns a notice that a task was given.
pub(crate) fn notice(db: &Connection, number: i64, name: &str) -> Result<Option<String>, StorageError> {
    let found = db
        .prepare_cached("SELECT json FROM task_notice WHERE task = ? AND name = ?")?
        .query_row(params![number, name], |row| row.get(0));
    Ok(found.optional()?)
}

/// Gives a task a notice. Returns whether it was the first of its name and came in time; `None` if there is no such task.
pub(crate) fn notify(
    db: &Connection,
    plugin: Option<&str>,
    number: i64,
    (name, json): (&str, &str),
    now: Timestamp,
) -> Result<Option<bool>, StorageError> {
    let Some(record) = find_of(db, plugin, number)? else { return Ok(None) };
    if record.state.is_terminal() {
        return Ok(Some(false));
    }
    // A run that has gone on without it must not find it when it is repeated.
    let changed = db
        .prepare_cached(
            "INSERT OR IGNORE INTO task_notice (task, name, json) SELECT ?1, ?2, ?3
             WHERE NOT EXISTS (SELECT 1 FROM task_wait WHERE task = ?1 AND name = ?2 AND until <= ?4)",
        )?
        .execute(params![number, name, json, micros(now)])?;
    Ok(Some(changed > 0))
}
