//! Units of measurement: a number and the names of two units, converted by the library that also calculates.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    calculation::{self, DoorError, Refusal},
    limit::TimeLimit,
};

/// A unit, such as `km/h`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: what the door of calculations lets through, and `MOST` characters at most.
pub(crate) struct UnitText(String);

/// The most characters of a unit.
const MOST: usize = 60;

/// A number that is one: neither infinite nor none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(inline)]
pub(crate) struct Number(f64);

/// What was converted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Converted {
    /// The number, in the unit that was asked for.
    pub value: f64,
    /// Number and unit.
    pub text: String,
    /// Whether this is the result itself, and not rounded.
    pub exact: bool,
}

/// Converts a number from one unit to another.
pub(crate) fn convert(value: Number, from: &UnitText, to: &UnitText, limit: TimeLimit) -> Result<Converted, Refusal> {
    let answer = calculation::evaluate(&format!("({}) ({}) to ({})", value.0, from.0, to.0), limit)?;
    let number = answer.result.split(' ').next().unwrap_or_default().trim_end_matches(|sign: char| !sign.is_ascii_digit());
    // What is no plain number is no measurement, such as the name of a function.
    let value = number.parse().map_err(|_| Refusal::Failed)?;
    Ok(Converted { value, text: answer.result, exact: answer.exact })
}

impl TryFrom<String> for UnitText {
    type Error = DoorError;

    fn try_from(text: String) -> Result<Self, DoorError> {
        let text = text.trim();
        calculation::door(text, MOST)?;
        Ok(Self(text.to_owned()))
    }
}

impl From<UnitText> for String {
    fn from(unit: UnitText) -> Self {
        unit.0
    }
}

/// A number is infinite, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotFinite;

impl TryFrom<f64> for Number {
    type Error = NotFinite;

    fn try_from(number: f64) -> Result<Self, NotFinite> {
        if number.is_finite() { Ok(Self(number)) } else { Err(NotFinite) }
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a finite number")
    }
}

impl std::error::Error for NotFinite {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(text: &str) -> Result<UnitText, DoorError> {
        UnitText::try_from(text.to_owned())
    }

    fn convert(value: f64, from: &str, to: &str) -> Result<Converted, Refusal> {
        let (from, to) = (unit(from).expect("a unit"), unit(to).expect("a unit"));
        // With all the time that may be set: what a result is should not depend on how busy the machine is.
        super::convert(Number(value), &from, &to, TimeLimit::try_from(2_000).expect("within its limits"))
    }

    #[test]
    fn measurements_are_converted() {
        for (value, from, to, expected, text) in [
            (5.0, "miles", "km", 8.04672, "8.04672 km"),
            (-40.0, "°C", "°F", -40.0, "-40 °F"),
            (20.0, "celsius", "fahrenheit", 68.0, "68 fahrenheit"),
            (98.6, "F", "C", 37.0, "37 °C"),
            (90.0, "km/h", "m/s", 25.0, "25 m / s"),
            (1.0, "lb", "kg", 0.453_592_37, "0.45359237 kg"),
            (3.0, "GiB", "MB", 3_221.225_472, "3221.225472 MB"),
            (1.0, "nm", "km", 1e-12, "0.000000000001 km"),
            (2.0, "hours", "minutes", 120.0, "120 minutes"),
            (1.0, "cup", "ml", 236.588_236_5, "236.5882365 ml"),
            (1e-7, "m", "µm", 0.1, "0.1 µm"),
        ] {
            let converted = convert(value, from, to);
            assert_eq!(converted, Ok(Converted { value: expected, text: text.to_owned(), exact: true }), "{value} {from}");
        }
    }

    #[test]
    fn what_does_not_measure_the_same_is_refused() {
        let refused = convert(1.0, "kg", "m");
        assert!(matches!(refused, Err(Refusal::Reason(reason)) if reason.ends_with("'kilogram' and 'meter' are incompatible")));
        assert_eq!(convert(1.0, "USD", "EUR"), Err(Refusal::Currency));
        assert!(convert(1.0, "m", "sin").is_err());
        assert_eq!(unit("m) + (m"), Err(DoorError::Brackets));
        assert_eq!(unit(&"m".repeat(61)), Err(DoorError::Length));
        assert_eq!(Number::try_from(f64::INFINITY), Err(NotFinite));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn there_and_back_is_where_it_began(value in -1e9..1e9_f64, units in prop::sample::select(vec![("km", "miles"), ("°C", "°F"), ("kg", "oz"), ("h", "s")])) {
            let there = convert(value, units.0, units.1).expect("they measure the same");
            let back = convert(there.value, units.1, units.0).expect("they measure the same");
            prop_assert!((back.value - value).abs() <= 1e-6 * value.abs().max(1.0), "{value} {there:?} {back:?}");
        }

        #[test]
        fn any_number_and_text_are_converted_or_refused(value in any::<f64>(), from in "[a-z°%^/*(). 0-9]{0,12}", to in "[a-z°%^/*(). 0-9]{0,12}") {
            let value = Number::try_from(value);
            if let (Ok(value), Ok(from), Ok(to)) = (value, unit(&from), unit(&to)) {
                let _ = super::convert(value, &from, &to, TimeLimit::try_from(20).expect("within its limits"));
            }
        }
    }
}
