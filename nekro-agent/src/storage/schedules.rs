//! Schedules as rows. Each change is one function here, to be called within a transaction.

use jiff::Timestamp;
use nekro_core::{Caller, PluginId, Schedule, ScheduleRecord, ScheduleWhen, SessionId, TaskRecord, TaskState};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StorageError, most, whose::Rows};

/// A schedule as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleRow {
    pub(crate) record: ScheduleRecord,
    pub(crate) caller: Caller,
    /// The next time.
    pub(crate) tick: Option<Timestamp>,
    pub(crate) created: Timestamp,
}

/// A schedule that is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct NewScheduleRow {
    pub(crate) plugin: String,
    pub(crate) schedule: Schedule,
    pub(crate) declared: bool,
    pub(crate) caller: Caller,
    pub(crate) most_failures: u32,
    pub(crate) times: Option<Times>,
}

/// When a schedule is due next, and when that is after it was put off by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) tick: Timestamp,
    pub(crate) due: Timestamp,
}

fn moment(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_microsecond(micros).map_err(|error| StorageError::Record(error.to_string()))
}

fn columns(times: Option<Times>) -> (Option<i64>, Option<i64>) {
    (times.map(|times| times.tick.as_microsecond()), times.map(|times| times.due.as_microsecond()))
}

/// Writes a schedule down, in place of the one of its name. Returns whether there was room.
pub(crate) fn put(db: &Connection, new: &NewScheduleRow, now: Timestamp, most_of_plugin: usize) -> Result<bool, StorageError> {
    let others: i64 = db
        .prepare_cached("SELECT count(*) FROM schedule WHERE plugin = ? AND name <> ?")?
        .query_row([&new.plugin, &new.schedule.name], |row| row.get(0))?;
    if others >= most(most_of_plugin) {
        return Ok(false);
    }
    let (tick, due) = columns(new.times);
    db.prepare_cached(
        "INSERT OR REPLACE INTO schedule (plugin, name, declared, spec, caller, most_failures, tick, due, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        new.plugin,
        new.schedule.name,
        new.declared,
        serde_json::to_string(&new.schedule)?,
        serde_json::to_string(&new.caller)?,
        new.most_failures,
        tick,
        due,
        now.as_microsecond(),
    ])?;
    Ok(true)
}

const SELECT: &str = "SELECT plugin, declared, spec, caller, tick, due, paused, runs, failures, last, created FROM schedule";

/// Returns a schedule.
pub(crate) fn find(db: &Connection, plugin: &str, name: &str) -> Result<Option<ScheduleRow>, StorageError> {
    let mut find = db.prepare_cached(&format!("{SELECT} WHERE plugin = ? AND name = ?"))?;
    find.query_and_then([plugin, name], read)?.next().transpose()
}

/// Returns the schedules of a plugin, or of all, in the order of their names.
pub(crate) fn list(db: &Connection, plugin: Option<&str>) -> Result<Vec<ScheduleRow>, StorageError> {
    let mut list = db.prepare_cached(&format!("{SELECT} WHERE ?1 IS NULL OR plugin = ?1 ORDER BY plugin, name"))?;
    list.query_and_then([plugin], read)?.collect()
}

/// Returns when something of each plugin is due.
pub(crate) fn next(db: &Connection) -> Result<Vec<(String, i64)>, StorageError> {
    let mut next =
        db.prepare_cached("SELECT plugin, min(due) FROM schedule WHERE paused IS NULL AND due IS NOT NULL GROUP BY plugin")?;
    Ok(next.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// Returns what of a plugin is due.
pub(crate) fn due(db: &Connection, plugin: &str, now: Timestamp, limit: usize) -> Result<Vec<ScheduleRow>, StorageError> {
    let select = format!("{SELECT} WHERE plugin = ? AND paused IS NULL AND due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?");
    let mut due = db.prepare_cached(&select)?;
    due.query_and_then(params![plugin, now.as_microsecond(), most(limit)], read)?.collect()
}

/// Tells whether a run of a schedule has not ended.
pub(crate) fn is_running(db: &Connection, plugin: &str, name: &str) -> Result<bool, StorageError> {
    let found = db
        .prepare_cached("SELECT 1 FROM task WHERE plugin = ? AND schedule = ? AND ended IS NULL")?
        .query_row([plugin, name], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Notes that a schedule was run so often, and when it is due next.
pub(crate) fn fired(
    db: &Connection,
    row: &ScheduleRow,
    runs: usize,
    times: Option<Times>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let (tick, due) = columns(times);
    let last = (runs > 0).then(|| now.as_microsecond());
    db.prepare_cached(
        "UPDATE schedule SET tick = ?, due = ?, runs = runs + ?, last = coalesce(?, last) WHERE plugin = ? AND name = ?",
    )?
    .execute(params![tick, due, most(runs), last, row.record.plugin.as_str(), row.record.schedule.name])?;
    Ok(())
}

/// Removes a schedule. Returns the conversation of the one that was there.
pub(crate) fn remove(db: &Connection, plugin: &str, name: &str) -> Result<Option<Option<SessionId>>, StorageError> {
    let found = find(db, plugin, name)?;
    db.prepare_cached("DELETE FROM schedule WHERE plugin = ? AND name = ?")?.execute([plugin, name])?;
    Ok(found.map(|row| row.record.session))
}

/// Removes the schedules of somebody but for those that a function declares, and returns how many there were.
pub(super) fn remove_of(db: &Connection, of: &Rows) -> Result<u64, StorageError> {
    let sql = format!("DELETE FROM schedule WHERE NOT declared AND {}", of.condition);
    Ok(db.prepare_cached(&sql)?.execute(of.parameter())? as u64)
}

/// Lets a schedule rest. Returns whether there is one.
pub(crate) fn pause(db: &Connection, plugin: &str, name: &str, why: &str) -> Result<bool, StorageError> {
    let changed =
        db.prepare_cached("UPDATE schedule SET paused = ? WHERE plugin = ? AND name = ?")?.execute([why, plugin, name])?;
    Ok(changed > 0)
}

/// Lets a schedule go on. Returns whether there is one.
pub(crate) fn resume(db: &Connection, plugin: &str, name: &str, times: Option<Times>) -> Result<bool, StorageError> {
    let (tick, due) = columns(times);
    let changed = db
        .prepare_cached("UPDATE schedule SET paused = NULL, failures = 0, tick = ?, due = ? WHERE plugin = ? AND name = ?")?
        .execute(params![tick, due, plugin, name])?;
    Ok(changed > 0)
}

/// Notes how a run of a schedule ended: part of the transaction in which it does.
pub(super) fn after_run(db: &Connection, run: &TaskRecord, now: Timestamp) -> Result<(), StorageError> {
    let Some(name) = &run.schedule else { return Ok(()) };
    let Some(row) = find(db, run.plugin.as_str(), name)? else { return Ok(()) };
    let failed = run.state == TaskState::Failed;
    db.prepare_cached(
        "UPDATE schedule SET failures = CASE WHEN ?1 THEN failures + 1 ELSE 0 END,
            paused = CASE WHEN ?1 AND most_failures > 0 AND failures + 1 >= most_failures AND paused IS NULL
                THEN 'it failed ' || (failures + 1) || ' times in a row' ELSE paused END
         WHERE plugin = ?2 AND name = ?3",
    )?
    .execute(params![failed, run.plugin.as_str(), name])?;
    if let ScheduleWhen::Every { every, from_end: true } = &row.record.schedule.when {
        let next = now.checked_add(*every).unwrap_or(Timestamp::MAX).as_microsecond();
        db.prepare_cached("UPDATE schedule SET tick = ?1, due = ?1 WHERE plugin = ?2 AND name = ?3 AND tick IS NULL")?
            .execute(params![next, run.plugin.as_str(), name])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ScheduleRow, StorageError> {
    let schedule: Schedule = serde_json::from_str(&row.get::<_, String>(2)?)?;
    let caller: Caller = serde_json::from_str(&row.get::<_, String>(3)?)?;
    let optional = |column| row.get::<_, Option<i64>>(column);
    let mut record = ScheduleRecord::new(PluginId::from(row.get::<_, String>(0)?), schedule);
    record.is_declared = row.get(1)?;
    record.session.clone_from(&caller.session);
    record.next = optional(5)?.map(moment).transpose()?;
    record.paused = row.get(6)?;
    record.runs = row.get(7)?;
    record.failures = row.get(8)?;
    record.last = optional(9)?.map(moment).transpose()?;
    Ok(ScheduleRow { record, caller, tick: optional(4)?.map(moment).transpose()?, created: moment(row.get(10)?)? })
}
