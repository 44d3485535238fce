//! Forgetting tasks: those that ended long ago, and those of somebody who wants to be forgotten.

use jiff::Timestamp;
use rusqlite::Connection;

use super::{cancel, micros};
use crate::storage::{StorageError, most, whose::Rows};

/// Forgets tasks that ended before a moment.
pub(crate) fn forget(db: &Connection, before: Timestamp, limit: usize) -> Result<usize, StorageError> {
    let mut old = db.prepare_cached("SELECT number FROM task WHERE ended < ? AND tell = 0 LIMIT ?")?;
    let old: Vec<i64> = old.query_map([micros(before), most(limit)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    erase(db, &old)?;
    Ok(old.len())
}

/// Removes the tasks of somebody, and returns how many there were. One that runs is cancelled first, and forgotten in its time; nobody is told
/// of its end, and nothing is started by it.
pub(in crate::storage) fn remove(db: &Connection, of: &Rows, now: Timestamp) -> Result<u64, StorageError> {
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
