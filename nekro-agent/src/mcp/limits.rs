//! How much a client may ask for.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a client of the MCP server may ask for at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes a message may have. A longer one is thrown away and answered with an error.
    pub message_bytes: usize,
    /// How many requests may be under way at the same time, calls among them. One more is refused, and may be sent again.
    pub requests_at_once: usize,
    /// How many calls of clients without a handshake wait for the answer to what they ask. With one more, the oldest ends, and its client is
    /// asked anew. At least 1.
    #[schemars(range(min = 1))]
    pub waiting_calls: usize,
    /// How many resources a client may subscribe to. One more is refused.
    pub subscriptions: usize,
    /// How long the changes are gathered that a client is told of as one.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub change_interval: Duration,
    /// How many resources are listed at once; the client asks for the next page.
    #[schemars(range(min = 1))]
    pub page: usize,
    /// How many files of one plugin are listed. The others are read by their names.
    pub listed_files: usize,
    /// How many bytes a file may have that is read as a resource.
    pub file_bytes: u64,
    /// How often a client is told to look at a task that it has started.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub task_poll_interval: Duration,
    /// How many entries of the log a client is told in a second, if it asks for them. Of more it is told how many. With 0 it is told none.
    pub log_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 4 * 1024 * 1024,
            requests_at_once: 32,
            waiting_calls: 64,
            subscriptions: 100,
            change_interval: Duration::from_millis(100),
            page: 200,
            listed_files: 1_000,
            file_bytes: 1024 * 1024,
            task_poll_interval: Duration::from_secs(1),
            log_per_second: 50,
        }
    }
}
