//! Writing tasks down: new ones, and those that do the work of another again.

use jiff::Timestamp;
use nekro_core::TaskState;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Inserted, NewTaskRow, find, micros};
use crate::storage::{StorageError, most};

/// Writes a task down, unless there is one of its key.
pub(crate) fn insert(db: &Connection, new: &NewTaskRow, now: Timestamp, most_open: usize) -> Result<Inserted, StorageError> {
    let mut root = None;
    if let Some(parent) = new.parent {
        // A child must not outlive its parent: from a run that does not count there are none.
        let found: Option<Option<i64>> = db
            .prepare_cached("SELECT root FROM task WHERE number = ? AND epoch = ? AND state = 'running'")?
            .query_row([parent.number, parent.epoch], |row| row.get(0))
            .optional()?;
        let Some(found) = found else { return Ok(Inserted::NoParent) };
        root = Some(found.unwrap_or(parent.number));
    }
    if let Some(key) = &new.key {
        let known = db
            .prepare_cached("SELECT number FROM task WHERE plugin = ? AND key = ?")?
            .query_row(params![new.plugin, key], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            return Ok(Inserted::Known(known));
        }
    }
    let open: i64 = db
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM task WHERE plugin = ? AND ended IS NULL LIMIT ?)")?
        .query_row(params![new.plugin, most(most_open)], |row| row.get(0))?;
    if open >= most(most_open) {
        return Ok(Inserted::Full);
    }
    write(db, new, root, now).map(Inserted::New)
}

pub(super) fn write(db: &Connection, new: &NewTaskRow, root: Option<i64>, now: Timestamp) -> Result<i64, StorageError> {
    let insert = "INSERT INTO task (plugin, name, arguments, caller, session, root, parent, schedule, serial, key, state, due, callback, tell, created)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?)";
    db.prepare_cached(insert)?.execute(params![
        new.plugin,
        new.name,
        new.arguments,
        serde_json::to_string(&new.caller)?,
        new.caller.session.as_ref().map(|session| session.as_str()),
        root,
        new.parent.map(|parent| parent.number),
        new.schedule,
        new.serial,
        new.key,
        micros(new.due),
        new.callback,
        new.tell,
        micros(now),
    ])?;
    Ok(db.last_insert_rowid())
}

/// Writes a task down that does the work of one that failed or was cancelled again. `None` if there is no such task; itself if it has not ended.
pub(crate) fn retry(db: &Connection, number: i64, now: Timestamp) -> Result<Option<Result<i64, TaskState>>, StorageError> {
    let Some(record) = find(db, number)? else { return Ok(None) };
    if !matches!(record.state, TaskState::Failed | TaskState::Cancelled) {
        return Ok(Some(Err(record.state)));
    }
    db.prepare_cached(
        "INSERT INTO task (plugin, name, arguments, caller, session, schedule, serial, state, due, checkpoint, callback, tell, created)
         SELECT plugin, name, arguments, caller, session, schedule, serial, 'queued', ?2, checkpoint, callback, 0, ?2
         FROM task WHERE number = ?1",
    )?
    .execute([number, micros(now)])?;
    let again = db.last_insert_rowid();
    db.prepare_cached("UPDATE task SET retried = ? WHERE number = ?")?.execute([again, number])?;
    Ok(Some(Ok(again)))
}
