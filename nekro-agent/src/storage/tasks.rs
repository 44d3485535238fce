//! Tasks as rows. Every change of a task is one function here, to be called within a transaction.
//!
//! A process owns a task that it runs by a lease, which it extends while it lives. Each run has a number of its own, its epoch, and whatever a
//! run writes names it: a process that was taken for dead, and is not, changes nothing any more. A task ends in one place, [`end`], and once.

use std::collections::HashMap;

use jiff::Timestamp;
use nekro_core::{Caller, Origin, PluginId, Role, TaskEnd, TaskId, TaskProblem, TaskRecord, TaskState};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::{StorageError, most, schedules, whose::Rows};

/// A task that is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct NewTaskRow {
    pub(crate) plugin: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) caller: Caller,
    /// The run that starts it as a child.
    pub(crate) parent: Option<RunId>,
    pub(crate) schedule: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) due: Timestamp,
    pub(crate) callback: Option<String>,
    pub(crate) tell: bool,
}

/// One run of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RunId {
    pub(crate) number: i64,
    pub(crate) epoch: i64,
}

/// What became of a task that was to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It was.
    New(i64),
    /// There is one of its key.
    Known(i64),
    /// Too many of the plugin's have not ended.
    Full,
    /// The run that starts it does not count any more.
    NoParent,
}

/// A task that this process runs from now on.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) run: RunId,
    pub(crate) plugin: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) caller: Caller,
    pub(crate) failures: u32,
    pub(crate) checkpoint: Option<String>,
}

/// What may be run now, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// In all.
    pub(crate) all: usize,
    /// Of one plugin, together.
    pub(crate) of_plugin: usize,
    /// Of each kind: the plugin, the name, and how many.
    pub(crate) kinds: Vec<(String, String, usize)>,
    /// Only this task and what belongs to it.
    pub(crate) root: Option<i64>,
}

/// Who runs tasks, and how long it need not say that it lives.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) until: Timestamp,
}

/// How a task ends.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) state: TaskState,
    pub(crate) result: Option<String>,
    pub(crate) problem: Option<TaskProblem>,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Something is due.
    pub(crate) due: bool,
    /// When the next one is due.
    pub(crate) next: Option<i64>,
    /// A lease has run out.
    pub(crate) expired: bool,
    /// Something is to be cancelled.
    pub(crate) unwanted: bool,
    /// An end is to be told.
    pub(crate) untold: bool,
}

/// Returns the id of a number.
pub(crate) fn id(number: i64) -> TaskId {
    TaskId::from(format!("t{number}"))
}

/// Returns the number of an id; `None` for a text that is none.
pub(crate) fn number(id: &TaskId) -> Option<i64> {
    let digits = id.as_str().strip_prefix('t')?;
    digits.bytes().all(|one| one.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn micros(moment: Timestamp) -> i64 {
    moment.as_microsecond()
}

fn moment(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_microsecond(micros).map_err(|error| StorageError::Record(error.to_string()))
}

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

fn write(db: &Connection, new: &NewTaskRow, root: Option<i64>, now: Timestamp) -> Result<i64, StorageError> {
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
            AND (?4 IS NULL OR number = ?4 OR root = ?4)
            AND (serial IS NULL OR NOT EXISTS (SELECT 1 FROM task WHERE serial = one.serial AND state = 'running'))
         ORDER BY due, number LIMIT ?5",
    )?;
    let mut take = db.prepare_cached(
        "UPDATE task AS one SET state = 'running', owner = ?, lease = ?, epoch = epoch + 1, waits = NULL
         WHERE number = ? AND (serial IS NULL OR NOT EXISTS (SELECT 1 FROM task WHERE serial = one.serial AND state = 'running'))
         RETURNING number, epoch, plugin, name, arguments, caller, failures, checkpoint",
    )?;
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
            .query_map(params![plugin, name, micros(now), room.root, most(free)], |row| row.get(0))?
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

/// Puts the tasks of processes that have ended back into the queue. One that took its process with it too often fails instead. What comes are
/// the tasks that ended by that.
pub(crate) fn take_back(
    db: &Connection,
    before: Timestamp,
    most_lost: u32,
    now: Timestamp,
) -> Result<Vec<TaskRecord>, StorageError> {
    db.prepare_cached(
        "UPDATE task SET state = 'queued', due = ?1, owner = NULL, lease = NULL, lost = lost + (waits IS NULL), waits = NULL
         WHERE state = 'running' AND lease < ?2",
    )?
    .execute([micros(now), micros(before)])?;
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
fn end(db: &Connection, number: i64, ending: &Ending, now: Timestamp) -> Result<Vec<TaskRecord>, StorageError> {
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

/// Forgets tasks that ended before a moment.
pub(crate) fn forget(db: &Connection, before: Timestamp, limit: usize) -> Result<usize, StorageError> {
    let mut old = db.prepare_cached("SELECT number FROM task WHERE ended < ? AND tell = 0 LIMIT ?")?;
    let old: Vec<i64> = old.query_map([micros(before), most(limit)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    erase(db, &old)?;
    Ok(old.len())
}

/// Removes the tasks of somebody, and returns how many there were. One that runs is cancelled first, and forgotten in its time; nobody is told
/// of its end, and nothing is started by it.
pub(super) fn remove(db: &Connection, of: &Rows, now: Timestamp) -> Result<u64, StorageError> {
    let condition = of.condition;
    db.prepare_cached(&format!("UPDATE task SET tell = 0, callback = NULL WHERE {condition}"))?.execute(of.parameter())?;
    let mut open = db.prepare_cached(&format!("SELECT number FROM task WHERE ended IS NULL AND {condition}"))?;
    let open: Vec<i64> = open.query_map(of.parameter(), |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in open {
        cancel(db, None, number, now)?;
    }
    let mut all = db.prepare_cached(&format!("SELECT number, ended IS NOT NULL FROM task WHERE {condition}"))?;
    let all: Vec<(i64, bool)> = all.query_map(of.parameter(), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let ended: Vec<_> = all.iter().filter(|(_, ended)| *ended).map(|(number, _)| *number).collect();
    erase(db, &ended)?;
    Ok(all.len() as u64)
}

fn erase(db: &Connection, numbers: &[i64]) -> Result<(), StorageError> {
    for number in numbers {
        for table in [
            "DELETE FROM task_notice WHERE task = ?",
            "DELETE FROM task_wait WHERE task = ?",
            "DELETE FROM task WHERE number = ?",
        ] {
            db.prepare_cached(table)?.execute([number])?;
        }
    }
    Ok(())
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

const SELECT: &str =
    "SELECT number, plugin, name, state, percent, text, epoch, arguments, result, problem, waits, session, parent, schedule,
    retried, cancel, created, due, ended FROM task";

/// Returns a task.
pub(crate) fn find(db: &Connection, number: i64) -> Result<Option<TaskRecord>, StorageError> {
    let mut find = db.prepare_cached(&format!("{SELECT} WHERE number = ?"))?;
    find.query_and_then([number], record)?.next().transpose()
}

/// Returns a task of a plugin, or of any.
pub(crate) fn find_of(db: &Connection, plugin: Option<&str>, number: i64) -> Result<Option<TaskRecord>, StorageError> {
    Ok(find(db, number)?.filter(|record| plugin.is_none_or(|plugin| record.plugin.as_str() == plugin)))
}

/// Which tasks are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) plugin: Option<String>,
    pub(crate) state: Option<TaskState>,
    /// Those that failed and that nobody has retried.
    pub(crate) dead: bool,
    pub(crate) limit: usize,
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
    let select = format!("{SELECT} WHERE (?1 IS NULL OR plugin = ?1) {state} {dead} ORDER BY number DESC LIMIT ?3");
    let mut list = db.prepare_cached(&select)?;
    let rows = list.query_and_then(params![wanted.plugin, wanted.state.map(TaskState::name), most(wanted.limit)], record)?;
    rows.collect()
}

fn record(row: &Row<'_>) -> Result<TaskRecord, StorageError> {
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
