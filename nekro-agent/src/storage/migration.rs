//! The shapes that the database has had, one after the other.
//!
//! A step leads from one to the next and is never changed again: a file of any earlier version is brought up to date by the steps that it
//! lacks, all in one transaction. There is no way back.

use rusqlite::{Connection, TransactionBehavior};

use super::StorageError;

/// The steps: the first makes the tables of version 1 in an empty file.
pub(super) const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];

/// The version that this program works with.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Says in the header of the file whose it is: `Nekr`.
pub(super) const APPLICATION: i64 = 0x4e65_6b72;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is in it.
    Empty,
    /// It is of an earlier version.
    Old,
    /// It is as it should be.
    Current,
}

/// Looks at what a file is.
pub(super) fn state(connection: &Connection, known: i64) -> Result<State, StorageError> {
    // One statement sees one moment of the file: somebody else may be taking the steps just now.
    let (application, version, tables): (i64, i64, i64) = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    match version {
        0 if tables == 0 && application == 0 => Ok(State::Empty),
        _ if application != APPLICATION => {
            Err(StorageError::Foreign { path: connection.path().unwrap_or("the file").to_owned() })
        }
        _ if version > known => Err(StorageError::Newer { found: version, known }),
        _ if version == known => Ok(State::Current),
        _ => Ok(State::Old),
    }
}

/// Takes the steps that a file lacks: all of them, or none.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = i64::try_from(steps.len()).expect("a list of steps has a length that fits");
    // Somebody else may have been faster.
    if state(&transaction, known)? == State::Current {
        return Ok(());
    }
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(0);
    for step in &steps[done..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
