//! The end of tasks: how they end, what starts by that, and who is told.

use jiff::Timestamp;
use nekro_core::{TaskEnd, TaskRecord, TaskState};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::{
    Ending, NewTaskRow, RunId, find, find_of, micros,
    read::{SELECT, record},
    start::write,
};
use crate::storage::{StorageError, most, schedules};

/// Ends a run's task.
pub(crate) fn finish(db: &Connection, run: RunId, ending: &Ending, now: Timestamp) -> Result<Vec<TaskRecord>, StorageError> {
    if counts(db, run)? { end(db, run.number, ending, now) } else { Ok(Vec::new()) }
}

fn counts(db: &Connection, run: RunId) -> Result<bool, StorageError> {
    let found = db
        .prepare_cached("SELECT 1 FROM task WHERE number = ? AND epoch = ? AND state = 'running'")?
        .query_row([run.number, run.epoch], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Ends a task, unless it has ended: the one place where that happens. Its children end with it, and what it wants to be told is started, in the
/// same transaction. Returns every task that ended.
pub(super) fn end(db: &Connection, number: i64, ending: &Ending, now: Timestamp) -> Result<Vec<TaskRecord>, StorageError> {
    let mut ended = Vec::new();
    let mut open = vec![(number, ending.clone())];
    while let Some((number, ending)) = open.pop() {
        let problem = ending.problem.as_ref().map(serde_json::to_string).transpose()?;
        let changed = db
            .prepare_cached(
                "UPDATE task SET state = ?, ended = ?, result = ?, problem = ?, owner = NULL, lease = NULL, waits = NULL,
                    percent = CASE ? WHEN 'succeeded' THEN 100 ELSE percent END
                 WHERE number = ? AND ended IS NULL",
            )?
            .execute(params![ending.state.name(), micros(now), ending.result, problem, ending.state.name(), number])?;
        if changed == 0 {
            continue;
        }
        let Some(record) = find(db, number)? else { continue };
        start_callback(db, number, &record, now)?;
        schedules::after_run(db, &record, now)?;
        // Those that run end where they run.
        db.prepare_cached("UPDATE task SET cancel = 1 WHERE parent = ? AND state = 'running'")?.execute([number])?;
        let mut children = db.prepare_cached("SELECT number FROM task WHERE parent = ? AND state = 'queued'")?;
        let children: Vec<i64> = children.query_map([number], |row| row.get(0))?.collect::<Result<_, _>>()?;
        open.extend(children.into_iter().map(|child| (child, cancelled())));
        ended.push(record);
    }
    Ok(ended)
}

/// How a task ends that somebody cancelled.
pub(crate) fn cancelled() -> Ending {
    Ending { state: TaskState::Cancelled, result: None, problem: None }
}

fn start_callback(db: &Connection, number: i64, record: &TaskRecord, now: Timestamp) -> Result<(), StorageError> {
    let (callback, caller, root): (Option<String>, String, Option<i64>) = db
        .prepare_cached("SELECT callback, caller, root FROM task WHERE number = ?")?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let Some(callback) = callback else { return Ok(()) };
    let end = TaskEnd {
        task: record.id.clone(),
        name: record.full_name(),
        state: record.state,
        result: record.result.clone(),
        problem: record.problem.clone(),
    };
    let new = NewTaskRow {
        plugin: record.plugin.as_str().to_owned(),
        name: callback,
        arguments: json!({ "end": end }).to_string(),
        caller: serde_json::from_str(&caller)?,
        parent: None,
        schedule: None,
        serial: None,
        key: Some(format!("end {number}")),
        due: now,
        callback: None,
        tell: false,
    };
    // However many wait already: the end of each is told.
    write(db, &new, Some(root.unwrap_or(number)), now).map(drop)
}

/// Cancels a task: at once if it waits for its turn, and otherwise where it runs. Returns whether it had not ended, with what ended; `None` if
/// there is no such task.
pub(crate) fn cancel(
    db: &Connection,
    plugin: Option<&str>,
    number: i64,
    now: Timestamp,
) -> Result<Option<(bool, Vec<TaskRecord>)>, StorageError> {
    let Some(record) = find_of(db, plugin, number)? else { return Ok(None) };
    if record.state == TaskState::Queued {
        return Ok(Some((true, end(db, number, &cancelled(), now)?)));
    }
    let changed = db.prepare_cached("UPDATE task SET cancel = 1 WHERE number = ? AND ended IS NULL")?.execute([number])?;
    Ok(Some((changed > 0, Vec::new())))
}

/// Ends the tasks that somebody wants to end and that nobody runs, and returns them, with the numbers of those that somebody runs.
pub(crate) fn end_unwanted(db: &Connection, now: Timestamp) -> Result<(Vec<TaskRecord>, Vec<i64>), StorageError> {
    let mut unwanted = db.prepare_cached("SELECT number, state FROM task WHERE cancel = 1 AND ended IS NULL")?;
    let unwanted: Vec<(i64, String)> = unwanted.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let (mut ended, mut running) = (Vec::new(), Vec::new());
    for (number, state) in unwanted {
        if state == "queued" {
            ended.extend(end(db, number, &cancelled(), now)?);
        } else {
            running.push(number);
        }
    }
    Ok((ended, running))
}

/// Wants every task of a kind to end.
pub(crate) fn cancel_kind(db: &Connection, plugin: &str, name: &str) -> Result<bool, StorageError> {
    let changed = db
        .prepare_cached("UPDATE task SET cancel = 1 WHERE plugin = ? AND name = ? AND state = 'queued' AND cancel = 0")?
        .execute([plugin, name])?;
    Ok(changed > 0)
}

/// Returns ends that are to be told.
pub(crate) fn untold(db: &Connection, limit: usize) -> Result<Vec<TaskRecord>, StorageError> {
    let select = format!("{SELECT} WHERE tell = 1 AND ended IS NOT NULL ORDER BY number LIMIT ?");
    let mut untold = db.prepare_cached(&select)?;
    let rows = untold.query_and_then([most(limit)], record)?;
    rows.collect()
}

/// Notes that an end was told.
pub(crate) fn told(db: &Connection, number: i64) -> Result<(), StorageError> {
    db.prepare_cached("UPDATE task SET tell = 0 WHERE number = ?")?.execute([number])?;
    Ok(())
}
