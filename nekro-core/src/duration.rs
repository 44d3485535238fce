//! Durations as people write them, such as `30s` or `1h 30m`.

use std::time::Duration;

use jiff::fmt::friendly::SpanParser;
pub(crate) use jiff::fmt::serde::unsigned_duration::friendly::compact::required::serialize;
use serde::{Deserialize, Deserializer, de};

/// Reads a duration; `None` if the text is none.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    SpanParser::new().parse_unsigned_duration(text.as_bytes()).ok()
}

/// Reads a duration, for `#[serde(with = …)]`. The parser's own words are about its grammar, and not for whoever sets a value.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| de::Error::custom(format_args!("expected a duration such as `30s` or `2m`, but {text:?} came")))
}

/// A duration that may be absent.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct One(#[serde(with = "super")] Duration);

    pub(crate) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(One).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<One>::deserialize(deserializer)?.map(|One(duration)| duration))
    }
}
