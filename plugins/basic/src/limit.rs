//! How long a calculation may take.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long a calculation may take: whoever calculates holds up a thread of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(inline, extend("minimum" = LEAST, "maximum" = MOST))]
// Invariant: in milliseconds, from `LEAST` to `MOST`.
pub(crate) struct TimeLimit(u64);

const LEAST: u64 = 1;
const MOST: u64 = 2_000;

impl TimeLimit {
    /// Returns it.
    pub(crate) fn get(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl Default for TimeLimit {
    // A thousand times what people and models usually ask for.
    fn default() -> Self {
        Self(100)
    }
}

impl TryFrom<u64> for TimeLimit {
    type Error = String;

    fn try_from(millis: u64) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(format!("expected a number from {LEAST} to {MOST}, but {millis} came"))
        }
    }
}

impl From<TimeLimit> for u64 {
    fn from(limit: TimeLimit) -> Self {
        limit.0
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
