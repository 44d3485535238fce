//! Moments: as they are written, and what can be worked out with them.

use std::{borrow::Cow, fmt};

use jiff::{
    SpanRound, Timestamp, ToSpan, Unit, Zoned,
    civil::{DateTime, Time},
    fmt::{
        friendly::{Designator, Spacing, SpanPrinter},
        strtime,
        temporal::DateTimeParser,
    },
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    zone::{DATABASE, Zone},
};

/// A date or a time, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum When {
    /// The present moment.
    Now,
    /// So many days from the beginning of today.
    Day(i8),
    /// A moment with its own zone or offset.
    Instant(Timestamp),
    /// A date and a time of day, in whichever zone is meant.
    Civil(DateTime),
    /// A time of today.
    Today(Time),
}

/// The most characters of a date or time.
const MOST: usize = 100;

/// A moment in a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// Date, time and distance to UTC, such as `2030-05-01T15:30:00+02:00`.
    #[serde(with = "rfc3339")]
    #[schemars(with = "String")]
    pub time: Zoned,
    /// The day of the week.
    pub weekday: String,
    /// The time zone.
    pub zone: String,
}

/// How much time lies between two moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distance {
    /// In years, months, days, hours, minutes and seconds.
    pub text: String,
    /// In days alone.
    pub days: f64,
    /// In seconds alone.
    pub seconds: i64,
}

/// A text is no date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WhenError;

/// A moment would lie outside of the years that can be reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

impl When {
    /// Works out the moment. A time that a change of the clocks skips is moved on by as much; of one that comes twice, the first is meant.
    pub(crate) fn resolve(&self, now: Timestamp, zone: &Zone) -> Result<Moment, OutOfRange> {
        // Nobody asks for parts of seconds.
        let now = Timestamp::from_second(now.as_second()).map_err(|_| OutOfRange)?.to_zoned(zone.rules());
        let time = match self {
            Self::Now => now,
            Self::Day(days) => {
                let date = now.date().checked_add(i64::from(*days).days()).map_err(|_| OutOfRange)?;
                date.to_zoned(zone.rules()).map_err(|_| OutOfRange)?
            }
            Self::Instant(instant) => instant.to_zoned(zone.rules()),
            Self::Civil(civil) => civil.to_zoned(zone.rules()).map_err(|_| OutOfRange)?,
            Self::Today(time) => now.date().to_datetime(*time).to_zoned(zone.rules()).map_err(|_| OutOfRange)?,
        };
        Ok(Moment::new(time, zone.name()))
    }
}

impl Moment {
    fn new(time: Zoned, zone: &str) -> Self {
        Self { weekday: strtime::format("%A", &time).unwrap_or_default(), zone: zone.to_owned(), time }
    }

    /// Returns the same moment in another zone.
    pub(crate) fn in_zone(&self, zone: &Zone) -> Self {
        Self::new(self.time.with_time_zone(zone.rules()), zone.name())
    }

    /// Returns the moment that is so much later.
    pub(crate) fn plus(&self, amount: &Amount) -> Result<Self, OutOfRange> {
        let time = self.time.checked_add(amount.span()).map_err(|_| OutOfRange)?;
        Ok(Self::new(time, &self.zone))
    }

    /// Returns how much time lies between this moment and another.
    pub(crate) fn until(&self, end: &Self) -> Result<Distance, OutOfRange> {
        let span = self.time.until((Unit::Year, &end.time)).map_err(|_| OutOfRange)?;
        let span = span.round(SpanRound::new().largest(Unit::Year).smallest(Unit::Second).relative(&self.time));
        let span = span.map_err(|_| OutOfRange)?;
        let printer = SpanPrinter::new().designator(Designator::Verbose).spacing(Spacing::BetweenUnitsAndDesignators);
        let days = span.total((Unit::Day, &self.time)).map_err(|_| OutOfRange)?;
        Ok(Distance { text: printer.span_to_string(&span), days, seconds: self.time.duration_until(&end.time).as_secs() })
    }
}

impl TryFrom<String> for When {
    type Error = WhenError;

    fn try_from(text: String) -> Result<Self, WhenError> {
        if text.chars().nth(MOST).is_some() {
            return Err(WhenError);
        }
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "now" => return Ok(Self::Now),
            "today" => return Ok(Self::Day(0)),
            "tomorrow" => return Ok(Self::Day(1)),
            "yesterday" => return Ok(Self::Day(-1)),
            _ => {}
        }
        // First, for a date would be read from it, and the offset or the zone passed over.
        if let Ok(zoned) = DateTimeParser::new().parse_zoned_with(&DATABASE, text) {
            return Ok(Self::Instant(zoned.timestamp()));
        }
        if text.contains('[') {
            return Err(WhenError);
        }
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        if let Ok(civil) = text.parse() {
            return Ok(Self::Civil(civil));
        }
        time_of_day(text).map(Self::Today).ok_or(WhenError)
    }
}

/// Reads `15:30`, `15:30:20`, `3:30 pm` and `3 pm`.
fn time_of_day(text: &str) -> Option<Time> {
    let lower = text.to_ascii_lowercase();
    if lower.ends_with('m') {
        let formats = ["%I:%M %p", "%I:%M%p", "%I %p", "%I%p"];
        return formats.iter().find_map(|format| strtime::parse(format, &lower).ok()?.to_time().ok());
    }
    // Without a colon, a number could be anything.
    text.contains(':').then(|| ["%H:%M", "%H:%M:%S"].iter().find_map(|format| Time::strptime(format, text).ok()))?
}

impl From<When> for String {
    fn from(when: When) -> Self {
        match when {
            When::Now => "now".to_owned(),
            When::Day(-1) => "yesterday".to_owned(),
            When::Day(1) => "tomorrow".to_owned(),
            When::Day(_) => "today".to_owned(),
            When::Instant(instant) => instant.to_string(),
            When::Civil(civil) => civil.to_string(),
            When::Today(time) => time.to_string(),
        }
    }
}

/// A moment with its distance to UTC, and without the name of its zone, which has a field of its own.
mod rfc3339 {
    use jiff::{Zoned, fmt::temporal::DateTimePrinter, tz::TimeZone};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn text(time: &Zoned) -> String {
        DateTimePrinter::new().precision(Some(0)).timestamp_with_offset_to_string(&time.timestamp(), time.offset())
    }

    pub(super) fn serialize<S: Serializer>(time: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zoned, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pieces = jiff::fmt::temporal::Pieces::parse(&text).map_err(D::Error::custom)?;
        let offset = pieces.to_numeric_offset().ok_or_else(|| D::Error::custom("expected an offset"))?;
        let time = pieces.time().ok_or_else(|| D::Error::custom("expected a time"))?;
        pieces.date().to_datetime(time).to_zoned(TimeZone::fixed(offset)).map_err(D::Error::custom)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = strtime::format("%Y-%m-%d %H:%M:%S", &self.time).unwrap_or_default();
        write!(f, "{}, {time} ({})", self.weekday, self.zone)
    }
}

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a date or time such as \"2030-05-01\", \"2030-05-01 15:30\", \"15:30\", \"today\" or \"now\"")
    }
}

impl std::error::Error for WhenError {}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the result lies outside of the years -9999 to 9999")
    }
}

impl std::error::Error for OutOfRange {}

impl JsonSchema for When {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::try_from(name.to_owned()).expect("a zone")
    }

    fn when(text: &str) -> When {
        When::try_from(text.to_owned()).expect("a date or time")
    }

    /// A Tuesday, 23:30 in Berlin.
    fn now() -> Timestamp {
        "2030-01-01T22:30:15.5Z".parse().expect("a moment")
    }

    fn moment(text: &str, at: &str) -> Moment {
        when(text).resolve(now(), &zone(at)).expect("within range")
    }

    #[test]
    fn a_date_or_time_is_written_in_many_ways() {
        for (text, expected) in [
            ("now", "Tuesday, 2030-01-01 23:30:15 (Europe/Berlin)"),
            ("Today", "Tuesday, 2030-01-01 00:00:00 (Europe/Berlin)"),
            ("tomorrow", "Wednesday, 2030-01-02 00:00:00 (Europe/Berlin)"),
            ("yesterday", "Monday, 2029-12-31 00:00:00 (Europe/Berlin)"),
            ("15:30", "Tuesday, 2030-01-01 15:30:00 (Europe/Berlin)"),
            ("3:30 PM", "Tuesday, 2030-01-01 15:30:00 (Europe/Berlin)"),
            ("9am", "Tuesday, 2030-01-01 09:00:00 (Europe/Berlin)"),
            ("2030-07-01", "Monday, 2030-07-01 00:00:00 (Europe/Berlin)"),
            ("2030-07-01 15:30", "Monday, 2030-07-01 15:30:00 (Europe/Berlin)"),
            ("2030-07-01T15:30:00Z", "Monday, 2030-07-01 17:30:00 (Europe/Berlin)"),
            ("2030-07-01T15:30:00+09:00", "Monday, 2030-07-01 08:30:00 (Europe/Berlin)"),
            ("2030-07-01T15:30[Asia/Tokyo]", "Monday, 2030-07-01 08:30:00 (Europe/Berlin)"),
            // The clocks go from 2:00 to 3:00, and at the end of summer from 3:00 to 2:00.
            ("2030-03-31 02:30", "Sunday, 2030-03-31 03:30:00 (Europe/Berlin)"),
            ("2030-10-27 02:30", "Sunday, 2030-10-27 02:30:00 (Europe/Berlin)"),
        ] {
            assert_eq!(moment(text, "Berlin").to_string(), expected, "{text}");
        }
        for text in ["", "soon", "2030", "1530", "25:00", "2030-02-30", "13:00 pm", "2030-07-01T15:30[Mars/Base]", "\u{e9}m"] {
            assert_eq!(When::try_from(text.to_owned()), Err(WhenError), "{text}");
        }
    }

    #[test]
    fn a_moment_is_the_same_in_every_zone() {
        let there = moment("15:30", "Berlin").in_zone(&zone("Tokyo"));
        assert_eq!(there.to_string(), "Tuesday, 2030-01-01 23:30:00 (Asia/Tokyo)");
        let json = serde_json::to_string(&there).expect("plain data");
        assert_eq!(json, r#"{"time":"2030-01-01T23:30:00+09:00","weekday":"Tuesday","zone":"Asia/Tokyo"}"#);
        assert_eq!(serde_json::from_str::<Moment>(&json).expect("a moment").time.timestamp(), there.time.timestamp());
    }

    #[test]
    fn adding_goes_by_the_calendar() {
        for (start, amount, expected) in [
            ("2030-01-31", "1 month", "2030-02-28T00:00:00+01:00"),
            ("2028-02-29", "1 year", "2029-02-28T00:00:00+01:00"),
            ("2030-03-30 12:00", "1 day", "2030-03-31T12:00:00+02:00"),
            ("2030-03-30 12:00", "24 hours", "2030-03-31T13:00:00+02:00"),
            ("2030-01-01", "-1 week", "2029-12-25T00:00:00+01:00"),
        ] {
            let amount = Amount::try_from(amount.to_owned()).expect("an amount");
            assert_eq!(rfc3339::text(&moment(start, "Berlin").plus(&amount).expect("within range").time), expected);
        }
        let amount = Amount::try_from("19000 years".to_owned()).expect("an amount");
        assert_eq!(moment("now", "Berlin").plus(&amount), Err(OutOfRange));
    }

    #[test]
    fn the_distance_is_told_by_the_calendar_and_in_days() {
        for (start, end, text, days) in [
            ("2030-01-01", "2030-12-25", "11 months 24 days", 358.0),
            ("2000-02-29", "2030-01-01", "29 years 10 months 3 days", 10_899.0),
            ("2030-01-01 12:00", "2030-01-01", "12 hours ago", -0.5),
            ("today", "today", "0 seconds", 0.0),
        ] {
            let distance = moment(start, "Berlin").until(&moment(end, "Berlin")).expect("within range");
            assert_eq!((distance.text.as_str(), distance.days), (text, days));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_moment_or_refused(text in "\\PC{0,40}|-?[0-9]{1,6}-[0-9]{2}-[0-9]{2}[ T]?([0-9:]{0,8})(Z|[+-][0-9:]{0,5})?") {
            if let Ok(when) = When::try_from(text) {
                let _ = when.resolve(now(), &zone("Berlin"));
                prop_assert_eq!(When::try_from(String::from(when.clone())), Ok(when));
            }
        }

        #[test]
        fn what_lies_between_leads_from_one_to_the_other(start in -9_000_000_000_i64..9_000_000_000, end in -9_000_000_000_i64..9_000_000_000) {
            let zone = zone("America/New_York");
            let at = |second| Moment::new(Timestamp::from_second(second).expect("within range").to_zoned(zone.rules()), zone.name());
            let (start, end) = (at(start), at(end));
            let distance = start.until(&end).expect("within range");
            prop_assert_eq!(distance.seconds, end.time.timestamp().as_second() - start.time.timestamp().as_second());
            let amount = Amount::try_from(distance.text.clone()).expect("an amount");
            prop_assert_eq!(start.plus(&amount).expect("within range"), end);
        }
    }
}
