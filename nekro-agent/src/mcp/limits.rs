//! How much a client may ask for.

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
    /// How many entries of the log a client is told in a second, if it asks for them. Of more it is told how many. With 0 it is told none.
    pub log_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 4 * 1024 * 1024, requests_at_once: 32, log_per_second: 50 }
    }
}
