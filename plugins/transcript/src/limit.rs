//! A number of the configuration that has limits.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(inline, extend("minimum" = LOW, "maximum" = HIGH))]
pub(crate) struct Limit<const LOW: u32, const HIGH: u32>(u32);

/// A number is outside of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBounds {
    low: u32,
    high: u32,
    came: u32,
}

impl<const LOW: u32, const HIGH: u32> Limit<LOW, HIGH> {
    /// Wraps a number that is known when this is compiled.
    pub(crate) const fn of<const NUMBER: u32>() -> Self {
        const { assert!(LOW <= NUMBER && NUMBER <= HIGH, "outside of the limits") }
        Self(NUMBER)
    }

    /// Returns the number.
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

impl<const LOW: u32, const HIGH: u32> TryFrom<u32> for Limit<LOW, HIGH> {
    type Error = OutOfBounds;

    fn try_from(number: u32) -> Result<Self, OutOfBounds> {
        if (LOW..=HIGH).contains(&number) { Ok(Self(number)) } else { Err(OutOfBounds { low: LOW, high: HIGH, came: number }) }
    }
}

impl<const LOW: u32, const HIGH: u32> From<Limit<LOW, HIGH>> for u32 {
    fn from(limit: Limit<LOW, HIGH>) -> Self {
        limit.0
    }
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, came } = self;
        write!(f, "expected a number from {low} to {high}, but {came} came")
    }
}

impl std::error::Error for OutOfBounds {}
