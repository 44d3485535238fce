//! Time zones, by the names that people and models call them.
//!
//! The rules are those that the program was built with, and not the system's: they are the same everywhere, and there at all in an empty
//! container.

use std::{borrow::Cow, fmt, sync::LazyLock};

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Zone {
    name: String,
    rules: TimeZone,
}

/// The most characters of a name.
const MOST: usize = 60;

/// The rules of all zones.
pub(crate) static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Why a text is no time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ZoneError {
    /// Nothing is called like that.
    Unknown,
    /// Several are.
    Several(Vec<String>),
}

impl Zone {
    /// Returns the rules.
    pub(crate) fn rules(&self) -> TimeZone {
        self.rules.clone()
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn named(name: &str) -> Option<Self> {
        let rules = DATABASE.get(name).ok()?;
        Some(Self { name: rules.iana_name().unwrap_or(name).to_owned(), rules })
    }

    fn fixed(text: &str) -> Option<Self> {
        let rest = ["UTC", "GMT"].iter().find_map(|prefix| strip_prefix(text, prefix)).unwrap_or(text).trim();
        let seconds = offset(rest)?;
        let offset = Offset::from_seconds(seconds).ok()?;
        Some(Self { name: format!("UTC{offset}"), rules: TimeZone::fixed(offset) })
    }

    /// Finds a zone by its city: what stands last in its name.
    fn of_city(city: &str) -> Result<Self, ZoneError> {
        let is_called = |name: &str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(city));
        let names: Vec<_> = DATABASE.available().map(|name| name.as_str().to_owned()).filter(|name| is_called(name)).collect();
        match names.as_slice() {
            [] => Err(ZoneError::Unknown),
            [name] => Self::named(name).ok_or(ZoneError::Unknown),
            _ => Err(ZoneError::Several(names)),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &text[prefix.len()..])
}

/// Reads `+2`, `-0530` and `+05:30`, in seconds.
fn offset(text: &str) -> Option<i32> {
    let mut rest = text.chars();
    let sign = match rest.next()? {
        '+' => 1,
        '-' | '−' => -1,
        _ => return None,
    };
    let text = rest.as_str();
    let (hours, minutes) = match (text.split_once(':'), text.len()) {
        (Some(parts), _) => parts,
        (None, 1 | 2) => (text, "0"),
        (None, 4) => text.split_at_checked(2)?,
        _ => return None,
    };
    let number = |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<i32>().ok() } else { None };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    // No place on Earth has ever been farther from Greenwich.
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        let text = text.trim();
        if text.is_empty() || text.chars().nth(MOST).is_some() {
            return Err(ZoneError::Unknown);
        }
        let name = text.split_whitespace().collect::<Vec<_>>().join("_");
        if let Some(zone) = Self::fixed(text).or_else(|| Self::named(&name)) {
            return Ok(zone);
        }
        // "Berlin, Germany" is meant by its first part.
        Self::of_city(name.split(',').next().unwrap_or_default())
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time zone such as \"Europe/Berlin\" or \"UTC+2\", or a large city in one")?;
        match self {
            Self::Unknown => Ok(()),
            Self::Several(names) => write!(f, "; there are {}", names.join(", ")),
        }
    }
}

impl std::error::Error for ZoneError {}

impl JsonSchema for Zone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zone_is_found_by_its_name_its_city_or_its_offset() {
        for (text, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("Berlin, Germany", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("America/New York", "America/New_York"),
            (" TOKYO ", "Asia/Tokyo"),
            ("utc", "UTC"),
            ("CET", "CET"),
            ("+2", "UTC+02"),
            ("UTC+05:30", "UTC+05:30"),
            ("GMT-0330", "UTC-03:30"),
        ] {
            assert_eq!(Zone::try_from(text.to_owned()).map(String::from).as_deref(), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Atlantis", "+16", "+1:60", "UTC+", "+-2", "../../etc/passwd", "/etc/localtime", "+é", "UT\u{e9}"] {
            assert_eq!(Zone::try_from(text.to_owned()).map(String::from), Err(ZoneError::Unknown), "{text}");
        }
        let error = Zone::try_from("West".to_owned()).expect_err("there are two").to_string();
        assert!(error.ends_with("there are Australia/West, Brazil/West"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_zone_or_refused(text in "\\PC{0,70}") {
            let _ = Zone::try_from(text);
        }

        #[test]
        fn a_zone_is_found_by_what_it_is_written_as(text in "(UTC|GMT)?[+-][0-9]{1,2}(:?[0-9]{2})?") {
            if let Ok(zone) = Zone::try_from(text) {
                prop_assert_eq!(Zone::try_from(zone.name().to_owned()), Ok(zone));
            }
        }
    }
}
