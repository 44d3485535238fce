//! The section `[process]` of the settings.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use schemars::JsonSchema;
use serde::Deserialize;

/// Programs that plugins run. A plugin runs those that it declares.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProcessSettings {
    /// How long a program may run.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) deadline: Duration,
    /// How many bytes of its output, and of its errors, are kept; the rest is counted.
    pub(crate) output_bytes: u64,
    /// How many bytes of memory each of its processes may use. Only Linux keeps to it, from the moment after a program has started.
    pub(crate) memory_bytes: u64,
    /// How many programs one plugin may run at the same time; the others wait. At least 1.
    pub(crate) concurrency: usize,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), output_bytes: 1024 * 1024, memory_bytes: 1024 * 1024 * 1024, concurrency: 4 }
    }
}
