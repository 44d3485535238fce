//! When somebody wants to be reminded, in words such as `in 10 minutes`, `tomorrow at 9` or `every monday at 8:30`.

use std::{fmt, time::Duration};

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{DateTime, Time, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};

/// When somebody wants to be reminded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Once, after a time.
    In(Duration),
    /// Once, at a moment of its own zone.
    Instant(Timestamp),
    /// Once, at a date and time.
    Date(DateTime),
    /// Once, so many days from today.
    Day(i64, Time),
    /// Once, the next time that clocks show this.
    Clock(Time),
    /// Once, on the next such day.
    Weekday(Weekday, Time),
    /// Again and again, after a time.
    Every(Duration),
    /// Again and again, by a cron expression.
    Cron(String),
}

/// Why a text says no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhenError(String);

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` says no time", self.0)
    }
}

impl std::error::Error for WhenError {}

/// What can be said, for whoever said something else.
pub(crate) const FORMS: &str = "write it like `in 10 minutes`, `at 18:30`, `tomorrow at 9`, `friday at 9:00`, `2026-12-31 09:00`, `every 2 hours`, `every day at 8`, `every weekday at 9`, `every monday at 8:30`, or as a cron expression such as `0 9 * * 1-5`";

/// The most characters of a text.
const MOST: usize = 100;

/// The time of a day that was named without one.
const MORNING: Time = Time::constant(9, 0, 0, 0);

/// A hundred years, in seconds: what is longer was not meant.
const MOST_SECONDS: u64 = 100 * 366 * 24 * 3_600;

/// Finds a time zone by its name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { TimeZoneDatabase::bundled().get(name).ok() }
}

impl When {
    /// Reads a text.
    pub(crate) fn parse(text: &str) -> Result<Self, WhenError> {
        let wrong = || WhenError(text.chars().take(MOST).collect());
        if text.len() > MOST {
            return Err(wrong());
        }
        let trimmed = text.trim();
        if let Ok(moment) = trimmed.parse::<Timestamp>() {
            return Ok(Self::Instant(moment));
        }
        if let Ok(date) = trimmed.parse::<DateTime>() {
            return Ok(Self::Date(date));
        }
        let lower = trimmed.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_ascii_whitespace().filter(|word| !matches!(*word, "at" | "on" | "the")).collect();
        let found = match words.as_slice() {
            // `in minutes` says nothing, where `every minute` does.
            ["in", count, ..] if matches!(*count, "a" | "an" | "one") || count.starts_with(|one: char| one.is_ascii_digit()) => {
                duration(&words[1..]).map(Self::In)
            }
            ["every" | "each", rest @ ..] => again(rest),
            ["daily", time @ ..] => clock(time).map(|time| cron(time, "*")),
            ["hourly"] => Some(Self::Every(Duration::from_secs(3_600))),
            ["weekdays" | "workdays", time @ ..] => clock(time).map(|time| cron(time, "1-5")),
            ["today", time @ ..] if !time.is_empty() => clock(time).map(|time| Self::Day(0, time)),
            ["tomorrow", time @ ..] => clock(time).map(|time| Self::Day(1, time)),
            ["next", day, time @ ..] | [day, time @ ..] if weekday(day).is_some() => {
                weekday(day).zip(clock(time)).map(|(day, time)| Self::Weekday(day, time))
            }
            _ if lower.split_ascii_whitespace().count() == 5
                && lower.starts_with(|one: char| one.is_ascii_digit() || one == '*') =>
            {
                Some(Self::Cron(trimmed.to_owned()))
            }
            // A number alone is an hour; with a unit, it is how long from now.
            time if !time.is_empty() => clock(time).map(Self::Clock).or_else(|| from_now(time)),
            _ => None,
        };
        found.ok_or_else(wrong)
    }

    /// Returns the moment of what comes once; `None` if calendars have none.
    pub(crate) fn moment(&self, now: &Zoned) -> Option<Timestamp> {
        let at = |date: jiff::civil::Date, time| date.to_datetime(time).to_zoned(now.time_zone().clone()).ok();
        let next = |days: i64, time| at(now.date().checked_add(days.days()).ok()?, time);
        match self {
            Self::In(after) => now.timestamp().checked_add(*after).ok(),
            Self::Instant(moment) => Some(*moment),
            Self::Date(date) => date.to_zoned(now.time_zone().clone()).ok().map(|zoned| zoned.timestamp()),
            Self::Day(days, time) => next(*days, *time).map(|zoned| zoned.timestamp()),
            Self::Clock(time) => {
                let today = next(0, *time)?;
                let next = if today > *now { today } else { next(1, *time)? };
                Some(next.timestamp())
            }
            Self::Weekday(day, time) => {
                let days = now.date().weekday().until(*day);
                let first = next(i64::from(days), *time)?;
                let next = if first > *now { first } else { next(i64::from(days) + 7, *time)? };
                Some(next.timestamp())
            }
            Self::Every(_) | Self::Cron(_) => None,
        }
    }
}

fn cron(time: Time, days: &str) -> When {
    When::Cron(format!("{} {} * * {days}", time.minute(), time.hour()))
}

/// Reads what follows `every`.
fn again(words: &[&str]) -> Option<When> {
    match words {
        ["day" | "morning", time @ ..] => clock(time).map(|time| cron(time, "*")),
        ["weekday" | "workday", time @ ..] => clock(time).map(|time| cron(time, "1-5")),
        [day, time @ ..] if weekday(day).is_some() => {
            let number = weekday(day)?.to_sunday_zero_offset();
            clock(time).map(|time| cron(time, &number.to_string()))
        }
        rest => duration(rest).filter(|every| every.as_secs() >= 60).map(When::Every),
    }
}

/// Reads `10 minutes`, without the `in` that people leave out.
fn from_now(words: &[&str]) -> Option<When> {
    words.first()?.starts_with(|one: char| one.is_ascii_digit()).then(|| duration(words))?.map(When::In)
}

/// Reads `10 minutes`, `an hour` or `1 hour and 30 minutes`.
fn duration(words: &[&str]) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut words = words.iter().filter(|word| **word != "and").peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        let (count, unit) = match word.find(|one: char| !one.is_ascii_digit()) {
            // `10m`
            Some(digits) if digits > 0 => (word[..digits].parse::<u64>().ok()?, &word[digits..]),
            _ if matches!(*word, "a" | "an" | "one") => (1, *words.next()?),
            // `every hour`
            Some(_) if seconds == 0 => (1, *word),
            _ => (word.parse().ok()?, *words.next()?),
        };
        let of_unit = match unit.trim_end_matches(['s', '.']) {
            "" | "ec" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hr" | "hour" => 3_600,
            "d" | "day" => 86_400,
            "w" | "week" => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(of_unit)?)?;
    }
    (1..=MOST_SECONDS).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim_end_matches([',', 's']) {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Reads `9`, `9:30`, `9am`, `9:30 pm`, `noon` or nothing, which is nine in the morning.
fn clock(words: &[&str]) -> Option<Time> {
    let text = words.concat();
    match text.as_str() {
        "" => return Some(MORNING),
        "noon" => return Some(Time::constant(12, 0, 0, 0)),
        "midnight" => return Some(Time::midnight()),
        _ => {}
    }
    let (digits, half) = match text.strip_suffix("am") {
        Some(digits) => (digits, Some(0)),
        None => text.strip_suffix("pm").map_or((text.as_str(), None), |digits| (digits, Some(12))),
    };
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "00"));
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|one| one.is_ascii_digit()));
    let (hour, minute) = (number(hour)?, number(minute).filter(|_| minute.len() == 2)?);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        // A Thursday.
        let now: Timestamp = "2026-01-01T11:00:00Z".parse().expect("a moment");
        let now = now.to_zoned(zone("Europe/Berlin").expect("a zone"));
        let told = match When::parse(text) {
            Ok(When::Cron(cron)) => cron,
            Ok(When::Every(every)) => format!("every {every:?}"),
            Ok(when) => when.moment(&now).map_or("never".to_owned(), |moment| moment.to_string()),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn words_say_a_time() {
        check("in 10 minutes", expect!["2026-01-01T11:10:00Z"]);
        check("10 minutes", expect!["2026-01-01T11:10:00Z"]);
        check("90m", expect!["2026-01-01T12:30:00Z"]);
        check("in an hour", expect!["2026-01-01T12:00:00Z"]);
        check("In 1 hour and 30 minutes", expect!["2026-01-01T12:30:00Z"]);
        check("in 2h 5m", expect!["2026-01-01T13:05:00Z"]);
        check("at 18:30", expect!["2026-01-01T17:30:00Z"]);
        check("9", expect!["2026-01-02T08:00:00Z"]);
        check("9:15 pm", expect!["2026-01-01T20:15:00Z"]);
        check("12am", expect!["2026-01-01T23:00:00Z"]);
        check("today at noon", expect!["2026-01-01T11:00:00Z"]);
        check("tomorrow", expect!["2026-01-02T08:00:00Z"]);
        check("tomorrow at 7:45", expect!["2026-01-02T06:45:00Z"]);
        check("friday at 9", expect!["2026-01-02T08:00:00Z"]);
        check("next Thursday", expect!["2026-01-08T08:00:00Z"]);
        check("2026-12-31 09:00", expect!["2026-12-31T08:00:00Z"]);
        check("2026-12-31T09:00:00Z", expect!["2026-12-31T09:00:00Z"]);
        check("every 2 hours", expect!["every 7200s"]);
        check("every hour", expect!["every 3600s"]);
        check("every day at 8", expect!["0 8 * * *"]);
        check("every monday at 8:30", expect!["30 8 * * 1"]);
        check("weekdays at 9", expect!["0 9 * * 1-5"]);
        check("0 9 1 * *", expect!["0 9 1 * *"]);
    }

    #[test]
    fn other_words_are_refused() {
        let long = "in ".repeat(100);
        for wrong in [
            "",
            "soon",
            "in",
            "in minutes and",
            "in -5 minutes",
            "in 99999999999999999999 days",
            "in 5000 weeks of",
            "every",
            "every 5 seconds",
            "25:00",
            "9:5",
            "13pm",
            "tomorrow maybe",
            "every someday at 9",
            "in 99999999 weeks",
            "٣:٠٠",
            &long,
        ] {
            assert!(When::parse(wrong).is_err(), "{wrong}: {:?}", When::parse(wrong));
        }
    }
}
