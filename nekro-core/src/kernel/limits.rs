//! Every limit of the kernel: its name, its default and the place to change it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration;

/// The limits of the kernel. In `nekro.toml` they stand under `[limits]`; durations are written like `30s` or `2m`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// How long a tool or a command may take that does not say so itself.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub call_deadline: Duration,
    /// How long one handler of a decision may take that does not say so itself.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub decision_deadline: Duration,
    /// How long one handler of a fact may take that does not say so itself.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub fact_deadline: Duration,
    /// How long a prompt section may take; after that its last good text is used.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub prompt_deadline: Duration,
    /// How many characters a prompt section may have that does not say so itself; what is longer is cut.
    pub prompt_budget: usize,
    /// How long a plugin may take to start.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub init_deadline: Duration,
    /// How long a plugin may take to stop: first to end what it is doing, then to clean up.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub cleanup_deadline: Duration,
    /// How long a person may take to approve a call.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub approval_deadline: Duration,
    /// How long a person may take to answer a question of a plugin's.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub answer_deadline: Duration,
    /// How many plugins may call one another on the way to a tool.
    pub peer_depth: u8,
    /// How many facts may wait for one plugin. When it is full, the facts that come are dropped, counted and shown by `nekro doctor`.
    pub mailbox: usize,
    /// How many facts one plugin may handle at the same time, each of another session; at least 1.
    pub concurrency: usize,
    /// How many callers a rate of the policy tells apart. While all of them have called lately, others are told to try later.
    pub rate_callers: usize,
    /// How many tools that are not linked one plugin may offer while it runs.
    pub offered_tools: usize,
    /// How many reports of its progress a call may pass on in a second; of those between, the newest counts. With 0 it passes none on.
    pub progress_per_second: u32,
    /// After how many failures in `breaker_window` a handler is no longer called; with 0 it always is.
    pub breaker_failures: usize,
    /// The time in which failures are counted.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub breaker_window: Duration,
    /// After what time a handler that is no longer called is tried once.
    #[serde(with = "duration")]
    #[schemars(with = "String")]
    pub breaker_cooldown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call_deadline: Duration::from_secs(60),
            decision_deadline: Duration::from_secs(5),
            fact_deadline: Duration::from_secs(30),
            prompt_deadline: Duration::from_secs(2),
            prompt_budget: 8_000,
            init_deadline: Duration::from_secs(30),
            cleanup_deadline: Duration::from_secs(10),
            approval_deadline: Duration::from_secs(120),
            answer_deadline: Duration::from_secs(300),
            peer_depth: 8,
            mailbox: 1_024,
            concurrency: 4,
            rate_callers: 10_000,
            offered_tools: 500,
            progress_per_second: 20,
            breaker_failures: 5,
            breaker_window: Duration::from_secs(60),
            breaker_cooldown: Duration::from_secs(30),
        }
    }
}
