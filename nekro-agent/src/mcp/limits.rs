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
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 4 * 1024 * 1024, requests_at_once: 32 }
    }
}
