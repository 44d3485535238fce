//! Who runs what: looking at what there is to do, taking tasks by a lease, extending it, and taking them back from processes that have ended.

use std::collections::HashMap;

use jiff::Timestamp;
use nekro_core::{Caller, Origin, Role, TaskProblem, TaskRecord, TaskState};
use rusqlite::{Connection, OptionalExtension, params};

use super::{BESIDE, Claimed, Ending, Lease, Room, RunId, Work, end::end, micros};
use crate::storage::{StorageError, most};

/// Looks at what there is to do.
pub(crate) fn look(db: &Connection, now: Timestamp) -> Result<Work, StorageError> {
    let (next, expired, unwanted, untold): (Option<i64>, bool, bool, bool) = db
        .prepare_cached(
            "SELECT (SELECT min(due) FROM task WHERE state = 'queued'),
                    EXISTS (SELECT 1 FROM task WHERE state = 'running' AND lease < ?),
                    EXISTS (SELECT 1 FROM task WHERE cancel = 1 AND ended IS NULL),
                    EXISTS (SELECT 1 FROM task WHERE tell = 1 AND ended IS NOT NULL)",
        )?
        .query_row([micros(now)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(Work { due: next.is_some_and(|next| next <= micros(now)), next, expired, unwanted, untold })
}

/// Takes tasks that are due, as many as there is room for.
pub(crate) fn claim(db: &Connection, room: &Room, lease: &Lease, now: Timestamp) -> Result<Vec<Claimed>, StorageError> {
    let mut of_kind: HashMap<(String, String), usize> = HashMap::new();
    let mut of_plugin: HashMap<String, usize> = HashMap::new();
    let mut running = db.prepare_cached(
        "SELECT plugin, name, count(*) FROM task WHERE state = 'running' AND lease >= ? AND waits IS NULL GROUP BY plugin, name",
    )?;
    let mut rows = running.query([micros(now)])?;
    while let Some(row) = rows.next()? {
        let (plugin, name, count): (String, String, usize) = (row.get(0)?, row.get(1)?, row.get(2)?);
        *of_plugin.entry(plugin.clone()).or_default() += count;
        of_kind.insert((plugin, name), count);
    }
    let mut find = db.prepare_cached(
        "SELECT number FROM task AS one WHERE state = 'queued' AND plugin = ? AND name = ? AND due <= ? AND cancel = 0
            AND (?4 IS NULL OR number = ?4 OR root = ?4) AND (?6 IS NULL OR session = ?6)
            AND (serial IS NULL OR NOT EXISTS (SELECT 1 FROM task WHERE serial = one.serial AND state = 'running'))
         ORDER BY due, number LIMIT ?5",
    )?;
    let mut take = db.prepare_cached(
        "UPDATE task AS one SET state = 'running', owner = ?, lease = ?, epoch = epoch + 1, waits = NULL
         WHERE number = ? AND (serial IS NULL OR NOT EXISTS (SELECT 1 FROM task WHERE serial = one.serial AND state = 'running'))
         RETURNING number, epoch, plugin, name, arguments, caller, failures, checkpoint",
    )?;
    let session = room.session.as_ref().map(|session| session.as_str());
    let mut claimed = Vec::new();
    for (plugin, name, most_of_kind) in &room.kinds {
        let kind = of_kind.get(&(plugin.clone(), name.clone())).copied().unwrap_or(0);
        let together = of_plugin.entry(plugin.clone()).or_default();
        let free = most_of_kind.saturating_sub(kind).min(room.of_plugin.saturating_sub(*together));
        let free = free.min(room.all.saturating_sub(claimed.len()));
        if free == 0 {
            continue;
        }
        let found: Vec<i64> = find
            .query_map(params![plugin, name, micros(now), room.root, most(free), session], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for number in found {
            let taken = take.query_row(params![lease.owner, micros(lease.until), number], |row| {
                let caller: String = row.get(5)?;
                Ok(Claimed {
                    run: RunId { number: row.get(0)?, epoch: row.get(1)? },
                    plugin: row.get(2)?,
                    name: row.get(3)?,
                    arguments: row.get(4)?,
                    // One that cannot be read may do nothing.
                    caller: serde_json::from_str(&caller).unwrap_or_else(|_| Caller::new(Origin::Host, Role::Guest)),
                    failures: row.get(6)?,
                    checkpoint: row.get(7)?,
                })
            });
            // One of the same serial may have been taken just now.
            if let Some(taken) = taken.optional()? {
                *together += 1;
                claimed.push(taken);
            }
        }
    }
    Ok(claimed)
}

/// Says that a process lives, and returns which of its runs still count, each with whether it is to be cancelled.
pub(crate) fn extend(db: &Connection, runs: &[RunId], lease: &Lease) -> Result<Vec<(RunId, bool)>, StorageError> {
    let mut extend = db.prepare_cached(
        "UPDATE task SET lease = ? WHERE number = ? AND epoch = ? AND owner = ? AND state = 'running' RETURNING cancel",
    )?;
    let mut living = Vec::new();
    for run in runs {
        let cancel =
            extend.query_row(params![micros(lease.until), run.number, run.epoch, lease.owner], |row| row.get(0)).optional()?;
        living.extend(cancel.map(|cancel| (*run, cancel)));
    }
    Ok(living)
}

/// Puts the tasks of processes that have ended back into the queue: those whose lease runs out before a moment, and of owners beside others
/// only those whose lease has run out. One that took its process with it too often fails instead. What comes are
/// the tasks that ended by that.
pub(crate) fn take_back(
    db: &Connection,
    before: Timestamp,
    most_lost: u32,
    now: Timestamp,
) -> Result<Vec<TaskRecord>, StorageError> {
    db.prepare_cached(
        "UPDATE task SET state = 'queued', due = ?1, owner = NULL, lease = NULL, lost = lost + (waits IS NULL), waits = NULL
         WHERE state = 'running' AND lease < iif(substr(owner, 1, 1) = ?3, min(?1, ?2), ?2)",
    )?
    .execute(params![micros(now), micros(before), BESIDE])?;
    let mut lost = db.prepare_cached("SELECT number FROM task WHERE state = 'queued' AND lost > ?")?;
    let lost: Vec<i64> = lost.query_map([most_lost], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut ended = Vec::new();
    for number in lost {
        let problem = TaskProblem {
            code: "lost".to_owned(),
            message: format!("the process ended under it more than {most_lost} times in a row (`tasks.most_lost`)"),
        };
        ended.extend(end(db, number, &Ending { state: TaskState::Failed, result: None, problem: Some(problem) }, now)?);
    }
    Ok(ended)
}
