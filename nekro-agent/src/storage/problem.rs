//! What can go wrong with what is kept, and what to do about it. Read by the operator, and by whoever made the call that failed.

use std::{fmt, io, path::Path};

use nekro_core::Error;
use rusqlite::ErrorCode;

use super::{database::OLDEST_SQLITE, writer::BUSY_TIMEOUT};

/// Why something could not be kept, or not be read.
///
/// One write may carry many, and all of them are told: so it can be cloned, and holds texts instead of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StorageError {
    /// The directory cannot be used.
    Directory { path: String, problem: String },
    /// The directory is on another machine.
    Network { path: String, kind: &'static str },
    /// An agent runs on it.
    InUse { path: String, agent: String },
    /// The file is something else.
    Foreign { path: String },
    /// The file was written by a newer program.
    Newer { found: i64, known: i64 },
    /// The program was linked with an SQLite that damages files.
    OldSqlite { version: i32 },
    /// The file is damaged.
    Damaged(String),
    /// There is no room.
    Full,
    /// It may not be written.
    ReadOnly(String),
    /// Another process writes, and does not end.
    Busy,
    /// What stands there is no record.
    Record(String),
    /// There is one already.
    Exists(String),
    /// The storage has been closed.
    Closed,
    /// Anything else.
    Other(String),
}

impl StorageError {
    pub(super) fn directory(path: &Path, error: &io::Error) -> Self {
        Self::Directory { path: path.display().to_string(), problem: error.to_string() }
    }

    /// Returns the short word that programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Directory { .. } | Self::Network { .. } => "data_directory",
            Self::InUse { .. } => "data_in_use",
            Self::Foreign { .. } | Self::Newer { .. } => "data_version",
            Self::Damaged(_) | Self::Record(_) => "data_damaged",
            Self::Full => "data_full",
            Self::ReadOnly(_) => "data_read_only",
            Self::Busy => "data_busy",
            Self::Exists(_) => "exists",
            Self::OldSqlite { .. } | Self::Closed | Self::Other(_) => "data",
        }
    }

    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Directory { .. } => "`--data DIR` or `NEKRO_DATA` names another directory",
            Self::Network { .. } => {
                "name a directory on a disk of this machine with `--data DIR` or `NEKRO_DATA`: a database on a network is damaged sooner or later"
            }
            Self::InUse { .. } => "end that agent first, or name another directory with `--data DIR`",
            Self::Foreign { .. } => "`--data DIR` or `NEKRO_DATA` names another directory",
            Self::Newer { .. } => "use the program that wrote it, or a newer one",
            Self::OldSqlite { .. } => "build the program with the SQLite that comes with it (feature `bundled` of `rusqlite`)",
            Self::Damaged(_) | Self::Record(_) => {
                "end the agent and copy the data directory as it is; `nekro data export` writes what can still be read, and `nekro data import` puts an export into a new directory"
            }
            Self::Full => "make room on the disk: nothing was lost, and what failed can be done again",
            Self::ReadOnly(_) => {
                "whoever runs the program must be allowed to write the data directory and the files in it, even to read them"
            }
            Self::Busy => "do it again when the other process has finished",
            Self::Exists(_) | Self::Closed | Self::Other(_) => return None,
        })
    }

    fn may_pass(&self) -> bool {
        matches!(self, Self::Full | Self::Busy)
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory { path, problem } => write!(f, "the data directory {path} cannot be used: {problem}"),
            Self::Network { path, kind } => write!(f, "the data directory {path} is on a network file system ({kind})"),
            Self::InUse { path, agent } => write!(f, "another agent ({agent}) is running on the data directory {path}"),
            Self::Foreign { path } => write!(f, "{path} is a database of another program"),
            Self::Newer { found, known } => {
                write!(f, "the data were written by a newer program: they are of version {found}, and this program knows {known}")
            }
            Self::OldSqlite { version } => {
                let name = |version: i32| format!("{}.{}.{}", version / 1_000_000, version / 1_000 % 1_000, version % 1_000);
                write!(f, "this program has SQLite {}; only {} and newer are safe", name(*version), name(OLDEST_SQLITE))
            }
            Self::Damaged(problem) => write!(f, "the database is damaged: {problem}"),
            Self::Full => f.write_str("the disk of the data directory is full"),
            Self::ReadOnly(problem) => write!(f, "the data directory cannot be written: {problem}"),
            Self::Busy => write!(f, "another process has been writing to the data directory for {BUSY_TIMEOUT:?}"),
            Self::Record(problem) => write!(f, "a record in the database cannot be read: {problem}"),
            Self::Exists(what) => write!(f, "there is {what} already"),
            Self::Closed => f.write_str("the agent is ending, and nothing more is kept"),
            Self::Other(problem) => write!(f, "the database failed: {problem}"),
        }
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(text),
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Exists("such a record".to_owned()),
            _ => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Record(text),
                _ => Self::Other(text),
            },
        }
    }
}

impl From<serde_json::Error> for StorageError {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(error.to_string())
    }
}

// It is not itself a `std::error::Error`: that is what lets `?` give the caller its code and its way out.
impl From<StorageError> for Error {
    fn from(problem: StorageError) -> Self {
        let mut error = Self::new(problem.to_string()).with_code(problem.code());
        if let Some(hint) = problem.hint() {
            error = error.with_hint(hint);
        }
        if problem.may_pass() { error.retryable() } else { error }
    }
}
