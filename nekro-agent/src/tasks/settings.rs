//! `[tasks]`: how much goes on in the background, and for how long.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much goes on in the background, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TasksSettings {
    /// How many tasks run at the same time, without those that wait.
    pub(crate) concurrency: usize,
    /// How many of one plugin.
    pub(crate) per_plugin: usize,
    /// How many of one kind, if it does not say so itself.
    pub(crate) per_kind: usize,
    /// How many of one plugin's may be there that have not ended. Then no more are taken.
    pub(crate) queue: usize,
    /// How long a task may run that does not say so itself, without the time that it waits.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) run_time: Duration,
    /// How long a task waits at most before it is tried again.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) most_backoff: Duration,
    /// How often in a row the process may end under a task before that has failed.
    pub(crate) most_lost: u32,
    /// How long a task is kept that has ended, in hours.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) keep: Duration,
    /// How many bytes the arguments, a checkpoint, a notice or the result of a task may have.
    pub(crate) bytes: usize,
    /// After what time tasks are taken from a process that gives no sign of life.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) lease: Duration,
    /// How often it is looked for what other processes have written.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) poll: Duration,
    /// How often the progress of a task is kept.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) progress: Duration,
}

impl Default for TasksSettings {
    fn default() -> Self {
        Self {
            concurrency: 16,
            per_plugin: 8,
            per_kind: 4,
            queue: 10_000,
            run_time: Duration::from_secs(60 * 60),
            most_backoff: Duration::from_secs(10 * 60),
            most_lost: 10,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            bytes: 1024 * 1024,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(500),
            progress: Duration::from_millis(250),
        }
    }
}
