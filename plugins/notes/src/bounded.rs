//! A number of the configuration that has limits.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(inline, extend("minimum" = LOW, "maximum" = HIGH))]
pub(crate) struct Bounded<const LOW: u16, const HIGH: u16>(u16);

/// A number is outside of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBounds {
    low: u16,
    high: u16,
    came: u16,
}

impl<const LOW: u16, const HIGH: u16> Bounded<LOW, HIGH> {
    /// Wraps a number that is known when this is compiled.
    pub(crate) const fn of<const NUMBER: u16>() -> Self {
        const { assert!(LOW <= NUMBER && NUMBER <= HIGH, "outside of the limits") }
        Self(NUMBER)
    }

    /// Returns the number.
    pub(crate) fn get(self) -> usize {
        self.0.into()
    }
}

impl<const LOW: u16, const HIGH: u16> TryFrom<u16> for Bounded<LOW, HIGH> {
    type Error = OutOfBounds;

    fn try_from(number: u16) -> Result<Self, OutOfBounds> {
        if (LOW..=HIGH).contains(&number) { Ok(Self(number)) } else { Err(OutOfBounds { low: LOW, high: HIGH, came: number }) }
    }
}

impl<const LOW: u16, const HIGH: u16> From<Bounded<LOW, HIGH>> for u16 {
    fn from(bounded: Bounded<LOW, HIGH>) -> Self {
        bounded.0
    }
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, came } = self;
        write!(f, "expected a number from {low} to {high}, but {came} came")
    }
}

impl std::error::Error for OutOfBounds {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_belong_to_the_range() {
        for (number, fits) in [(0, false), (1, true), (9, true), (10, false)] {
            assert_eq!(Bounded::<1, 9>::try_from(number).is_ok(), fits, "{number}");
        }
    }
}
