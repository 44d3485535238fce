//! Opening the database file: the engine, how a connection is set up, and what the file must be.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{
    DataDirectory, StorageError,
    migration::{self, STEPS, State, VERSION},
    writer::BUSY_TIMEOUT,
};

/// The oldest SQLite that does not damage a file which two connections write: <https://sqlite.org/wal.html#walresetbug>.
pub(super) const OLDEST_SQLITE: i32 = 3_051_003;

/// After how many pages of 4 KiB the log of changes is written back into the file.
const CHECKPOINT_PAGES: u32 = 2_000;

/// To how many bytes the log of changes is cut when it has been written back.
const MOST_LOG_BYTES: u32 = 64 * 1024 * 1024;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Connects to a database that is there and of this version; one of an earlier version is brought up to date first. `None` if there is
/// none.
pub(super) fn open_existing(directory: &DataDirectory, access: Access) -> Result<Option<Connection>, StorageError> {
    let file = directory.database();
    if !file.try_exists().map_err(|error| StorageError::directory(directory.path(), &error))? {
        return Ok(None);
    }
    directory.is_local()?;
    let connection = connect(&file, access)?;
    match migration::state(&connection, VERSION)? {
        State::Current => Ok(Some(connection)),
        // Whoever made the file has not come further yet, or was ended before.
        State::Empty if access == Access::Read => Ok(None),
        State::Empty | State::Old => {
            drop(connection);
            set_up(directory, STEPS)?;
            connect(&file, access).map(Some)
        }
    }
}

/// Connects to the database for writing, and makes it if there is none.
pub(super) fn open(directory: &DataDirectory) -> Result<Connection, StorageError> {
    if let Some(connection) = open_existing(directory, Access::Write)? {
        return Ok(connection);
    }
    directory.prepare()?;
    set_up(directory, STEPS)?;
    connect(&directory.database(), Access::Write)
}

/// Makes the database, or brings it up to date.
pub(super) fn set_up(directory: &DataDirectory, steps: &[&str]) -> Result<(), StorageError> {
    let _setup = directory.lock_setup()?;
    let file = directory.database();
    let problem = |error| StorageError::directory(directory.path(), &error);
    // SQLite gives its other files the permissions of this one. Never where there is one: on closing a file, the system takes from the
    // whole process every lock that a connection of SQLite has on it.
    if !file.try_exists().map_err(problem)? {
        super::directory::open_private(&file).map_err(problem)?;
    }
    let mut connection = connect(&file, Access::Write)?;
    let known = i64::try_from(steps.len()).expect("a list of steps has a length that fits");
    let _agent = match migration::state(&connection, known)? {
        State::Current => return Ok(()),
        State::Empty => None,
        // An agent of the earlier version may be running.
        State::Old => Some(directory.lock()?),
    };
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0)).map(drop)?;
    migration::migrate(&mut connection, steps)
}

/// Opens a connection to the file.
fn connect(file: &Path, access: Access) -> Result<Connection, StorageError> {
    let version = rusqlite::version_number();
    if version < OLDEST_SQLITE {
        return Err(StorageError::OldSqlite { version });
    }
    // A reader needs to write too: into the memory that connections share.
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let set = |name: &str, value: i64| connection.pragma_update(None, name, value);
    set("trusted_schema", 0)?;
    // Mapped memory makes damage of several processes worse, and gains little.
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(no_row)?;
    match access {
        Access::Read => set("query_only", 1)?,
        Access::Write => {
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
            connection.pragma_update_and_check(None, "journal_size_limit", MOST_LOG_BYTES, |_| Ok(()))?;
        }
    }
    Ok(connection)
}

/// A build of SQLite without mapped memory answers nothing.
fn no_row(error: rusqlite::Error) -> Result<(), rusqlite::Error> {
    if error == rusqlite::Error::QueryReturnedNoRows { Ok(()) } else { Err(error) }
}
