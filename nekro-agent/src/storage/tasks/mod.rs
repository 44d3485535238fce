//! Tasks as rows. Every change of a task is one function here, to be called within a transaction.
//!
//! A process owns a task that it runs by a lease, which it extends while it lives. Each run has a number of its own, its epoch, and whatever a
//! run writes names it: a process that was taken for dead, and is not, changes nothing any more. A task ends in one place, `end::end`, and once.

mod claim;
mod end;
mod forget;
mod read;
mod run;
mod start;

use jiff::Timestamp;
use nekro_core::{Caller, SessionId, TaskId, TaskProblem, TaskState};

pub(super) use self::forget::remove;
pub(crate) use self::{
    claim::{claim, extend, look, take_back},
    end::{cancel, cancel_kind, cancelled, end_unwanted, finish, told, untold},
    forget::forget,
    read::{Listing, find, find_of, is_busy, list},
    run::{begin_to_wait, checkpoint, notice, notify, progress, release, try_later, waits},
    start::{insert, retry},
};
use super::StorageError;

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
    /// Only the tasks of this conversation.
    pub(crate) session: Option<SessionId>,
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

/// What the name of an owner begins with that runs tasks beside an agent at work: one that begins does not take them from it.
pub(crate) const BESIDE: &str = "~";

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
