//! Cron expressions: which minutes of a calendar they name.
//!
//! Five fields (minute, hour, day of the month, month, day of the week), or six with seconds first. Each is `*`, a number, a name (`jan`, `mon`),
//! a range, a list, or one of these with a step. Further, in days of the month `L` is the last one and `15W` the weekday nearest to the 15th; in days
//! of the week `5L` is the last Friday and `1#2` the second Monday. If both days are given, either counts, as in every cron since 1979.

use std::{fmt, str::FromStr};

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, Weekday},
};

/// A cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    // A bit to a value.
    seconds: u64,
    minutes: u64,
    hours: u64,
    months: u64,
    days: Days,
    weekdays: Weekdays,
    // Every hour: then it goes by time passing, and not by what clocks show.
    is_hourly: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Days {
    any: bool,
    of_month: u64,
    last: bool,
    last_weekday: bool,
    nearest: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Weekdays {
    any: bool,
    // A bit to a weekday, from Sunday.
    all: u64,
    last: u64,
    // Of the first to the fifth of a month.
    nth: [u64; 5],
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

/// The longest expression that is read.
const MOST_BYTES: usize = 200;

/// How many years are looked through for a day that fits: 29 February on a certain weekday comes every 28 years, or every 40 around 2100.
const MOST_YEARS: i16 = 41;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One field: its name, its bounds and its words.
struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    words: &'static [&'static str],
}

const SECOND: Field = Field { name: "second", low: 0, high: 59, words: &[] };
const MINUTE: Field = Field { name: "minute", low: 0, high: 59, words: &[] };
const HOUR: Field = Field { name: "hour", low: 0, high: 23, words: &[] };
const DAY: Field = Field { name: "day of the month", low: 1, high: 31, words: &[] };
const MONTH: Field = Field { name: "month", low: 1, high: 12, words: &MONTHS };
const WEEKDAY: Field = Field { name: "day of the week", low: 0, high: 7, words: &WEEKDAYS };

impl Field {
    fn wrong(&self, part: &str) -> CronError {
        CronError(format!("`{part}` is no {}: write {} to {}, a range, a list or `*`", self.name, self.low, self.high))
    }

    fn number(&self, text: &str) -> Result<u8, CronError> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = self.words.iter().position(|word| *word == lower) {
            return Ok(u8::try_from(at).unwrap_or(0) + u8::from(self.low == 1));
        }
        let is_number = !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
        let number = text.parse::<u8>().ok().filter(|number| is_number && (self.low..=self.high).contains(number));
        number.ok_or_else(|| self.wrong(text))
    }

    /// Reads one part of a list: a number, a range or `*`, each perhaps with a step.
    fn part(&self, part: &str) -> Result<u64, CronError> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step: u8 = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| self.wrong(part))?;
                (range, Some(step))
            }
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None if range == "*" => (self.low, if self.high == 7 { 6 } else { self.high }),
            None => {
                let one = self.number(range)?;
                // `5/10` goes on to the end.
                (one, if step.is_some() { self.high.min(if self.high == 7 { 6 } else { self.high }) } else { one })
            }
        };
        if from > to {
            return Err(CronError(format!("the range `{part}` of the {} goes backwards", self.name)));
        }
        Ok((from..=to).step_by(step.unwrap_or(1).into()).fold(0, |bits, value| bits | 1 << value))
    }

    fn bits(&self, text: &str) -> Result<u64, CronError> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.part(part)?))
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        if text.len() > MOST_BYTES {
            return Err(CronError(format!("a cron expression has at most {MOST_BYTES} characters")));
        }
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let (seconds, [minute, hour, day, month, weekday]) = match fields.as_slice() {
            [minute, hour, day, month, weekday] => (1, [minute, hour, day, month, weekday]),
            [second, minute, hour, day, month, weekday] => (SECOND.bits(second)?, [minute, hour, day, month, weekday]),
            _ => {
                let count = fields.len();
                return Err(CronError(format!(
                    "a cron expression has five fields, or six with seconds, and this has {count}: write it like `0 9 * * 1-5`"
                )));
            }
        };
        let cron = Self {
            seconds,
            minutes: MINUTE.bits(minute)?,
            hours: HOUR.bits(hour)?,
            months: MONTH.bits(month)?,
            days: Days::read(day)?,
            weekdays: Weekdays::read(weekday)?,
            is_hourly: hour.starts_with('*'),
        };
        // 30 February, say.
        let start = Date::constant(2000, 1, 1).at(0, 0, 0, 0);
        match cron.next(start) {
            Some(_) => Ok(cron),
            None => Err(CronError(format!("`{text}` names a day that no calendar has"))),
        }
    }
}

impl Days {
    fn read(text: &str) -> Result<Self, CronError> {
        let mut days = Self { any: matches!(text, "*" | "?"), of_month: 0, last: false, last_weekday: false, nearest: 0 };
        for part in text.split(',').filter(|_| !days.any).collect::<Vec<_>>() {
            match part.to_ascii_uppercase().as_str() {
                "L" => days.last = true,
                "LW" => days.last_weekday = true,
                other => match other.strip_suffix('W') {
                    Some(day) => days.nearest |= 1 << DAY.number(day)?,
                    None => days.of_month |= DAY.part(part)?,
                },
            }
        }
        Ok(days)
    }

    fn has(&self, date: Date) -> bool {
        let last = date.days_in_month();
        let nearest = |day: i8| nearest_weekday(date.first_of_month(), day.min(last));
        self.of_month & (1 << date.day()) != 0
            || self.last && date.day() == last
            || self.last_weekday && nearest(last) == date
            || (1..=31).any(|day| self.nearest & (1 << day) != 0 && day <= last && nearest(day) == date)
    }
}

/// Returns the day from Monday to Friday that is nearest to a day, in the same month.
fn nearest_weekday(first: Date, day: i8) -> Date {
    let date = first.with().day(day).build().unwrap_or(first);
    let by = match date.weekday() {
        Weekday::Saturday if day == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if day == first.days_in_month() => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    date.checked_add(by.days()).unwrap_or(date)
}

impl Weekdays {
    fn read(text: &str) -> Result<Self, CronError> {
        let mut days = Self { any: matches!(text, "*" | "?"), all: 0, last: 0, nth: [0; 5] };
        // 7 is a Sunday too.
        let one = |day: u8| 1_u64 << (day % 7);
        for part in text.split(',').filter(|_| !days.any).collect::<Vec<_>>() {
            if let Some((day, nth)) = part.split_once('#') {
                let nth: usize = nth.parse().ok().filter(|nth| (1..=5).contains(nth)).ok_or_else(|| WEEKDAY.wrong(part))?;
                days.nth[nth - 1] |= one(WEEKDAY.number(day)?);
            } else if let Some(day) = part.strip_suffix(['L', 'l']).filter(|day| !day.is_empty()) {
                days.last |= one(WEEKDAY.number(day)?);
            } else {
                let bits = WEEKDAY.part(part)?;
                days.all |= (bits & 0x7f) | (bits >> 7);
            }
        }
        Ok(days)
    }

    fn has(&self, date: Date) -> bool {
        let bit = 1_u64 << date.weekday().to_sunday_zero_offset();
        let nth = usize::try_from((date.day() - 1) / 7).unwrap_or(0);
        self.all & bit != 0 || self.nth[nth] & bit != 0 || self.last & bit != 0 && date.day() > date.days_in_month() - 7
    }
}

impl Cron {
    /// Tells whether it goes by time passing: it names every hour, or every so many.
    pub fn is_hourly(&self) -> bool {
        self.is_hourly
    }

    fn has_day(&self, date: Date) -> bool {
        self.months & (1 << date.month()) != 0
            && match (self.days.any, self.weekdays.any) {
                (true, true) => true,
                (true, false) => self.weekdays.has(date),
                (false, true) => self.days.has(date),
                (false, false) => self.days.has(date) || self.weekdays.has(date),
            }
    }

    /// Returns the next time that it names after another one; `None` if there is none for many years.
    pub fn next(&self, after: DateTime) -> Option<DateTime> {
        let last_year = after.year().checked_add(MOST_YEARS)?;
        let mut date = after.date();
        let mut from = Some(after.time());
        loop {
            if self.has_day(date)
                && let Some(time) = self.next_time(from)
            {
                return Some(date.to_datetime(time));
            }
            from = None;
            // A month that is not named is passed over as a whole.
            date = if self.months & (1 << date.month()) == 0 {
                date.last_of_month().tomorrow().ok()?
            } else {
                date.tomorrow().ok()?
            };
            if date.year() > last_year {
                return None;
            }
        }
    }

    /// Returns the first time of a day that it names, or the first one after a time.
    fn next_time(&self, after: Option<Time>) -> Option<Time> {
        let (hour, minute, second) = match after {
            None => (0, 0, 0),
            Some(after) => (after.hour(), after.minute(), after.second() + 1),
        };
        // The first set bit from one on.
        let from = |bits: u64, low: i8| -> Option<i8> {
            let rest = u32::try_from(low).ok().filter(|low| *low < 64).map(|low| bits >> low << low)?;
            (rest != 0).then(|| i8::try_from(rest.trailing_zeros()).ok()).flatten()
        };
        let first = |bits| from(bits, 0);
        let at = |hour, minute, second| Time::new(hour, minute, second, 0).ok();
        if self.hours & (1 << hour) != 0 {
            if self.minutes & (1 << minute) != 0
                && let Some(second) = from(self.seconds, second)
            {
                return at(hour, minute, second);
            }
            if let Some(minute) = from(self.minutes, minute + 1) {
                return at(hour, minute, first(self.seconds)?);
            }
        }
        let hour = from(self.hours, if self.hours & (1 << hour) != 0 { hour + 1 } else { hour })?;
        at(hour, first(self.minutes)?, first(self.seconds)?)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(cron: &str, expected: Expect) {
        let cron: Cron = cron.parse().expect("an expression");
        // A Thursday.
        let mut at: DateTime = "2026-01-01T08:30:00".parse().expect("a moment");
        let mut all = Vec::new();
        for _ in 0..4 {
            at = cron.next(at).expect("there is one");
            all.push(format!("{} {at}", at.weekday().to_sunday_zero_offset()));
        }
        expected.assert_eq(&all.join(", "));
    }

    #[test]
    fn an_expression_names_moments() {
        check(
            "0 9 * * 1-5",
            expect!["4 2026-01-01T09:00:00, 5 2026-01-02T09:00:00, 1 2026-01-05T09:00:00, 2 2026-01-06T09:00:00"],
        );
        check(
            "*/20 8 * * *",
            expect!["4 2026-01-01T08:40:00, 5 2026-01-02T08:00:00, 5 2026-01-02T08:20:00, 5 2026-01-02T08:40:00"],
        );
        check(
            "15 30 8 1 * ?",
            expect!["4 2026-01-01T08:30:15, 0 2026-02-01T08:30:15, 0 2026-03-01T08:30:15, 3 2026-04-01T08:30:15"],
        );
        check("0 0 L * *", expect!["6 2026-01-31T00:00:00, 6 2026-02-28T00:00:00, 2 2026-03-31T00:00:00, 4 2026-04-30T00:00:00"]);
        check(
            "0 0 1W * *",
            expect!["1 2026-02-02T00:00:00, 1 2026-03-02T00:00:00, 3 2026-04-01T00:00:00, 5 2026-05-01T00:00:00"],
        );
        check(
            "0 0 LW * *",
            expect!["5 2026-01-30T00:00:00, 5 2026-02-27T00:00:00, 2 2026-03-31T00:00:00, 4 2026-04-30T00:00:00"],
        );
        check(
            "0 0 * * fri#2",
            expect!["5 2026-01-09T00:00:00, 5 2026-02-13T00:00:00, 5 2026-03-13T00:00:00, 5 2026-04-10T00:00:00"],
        );
        check(
            "0 0 * * 5L",
            expect!["5 2026-01-30T00:00:00, 5 2026-02-27T00:00:00, 5 2026-03-27T00:00:00, 5 2026-04-24T00:00:00"],
        );
        check(
            "0 12 13 * 5",
            expect!["5 2026-01-02T12:00:00, 5 2026-01-09T12:00:00, 2 2026-01-13T12:00:00, 5 2026-01-16T12:00:00"],
        );
        check(
            "0 0 29 feb *",
            expect!["2 2028-02-29T00:00:00, 0 2032-02-29T00:00:00, 5 2036-02-29T00:00:00, 3 2040-02-29T00:00:00"],
        );
        check(
            "59 23 31 12 7",
            expect!["0 2026-12-06T23:59:00, 0 2026-12-13T23:59:00, 0 2026-12-20T23:59:00, 0 2026-12-27T23:59:00"],
        );
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let long = "1,".repeat(200) + "1 * * * *";
        for wrong in [
            "",
            "*",
            "* * * *",
            "* * * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-3 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1,,2 * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "1- * * * *",
            "0 0 30 2 *",
            "0 0 31 feb,apr *",
            "* * * * 1#6",
            "* * * * #1",
            "* * W * *",
            "٣ * * * *",
            "* * * janu *",
            &long,
        ] {
            assert!(wrong.parse::<Cron>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_does_any_harm(text in "[-*/,#LWlw0-9a-z? ]{0,60}") {
            let _ = text.parse::<Cron>();
        }

        #[test]
        fn the_next_moment_is_the_first_one_that_fits(minute in 0..60_u8, step in 1..24_u8, weekday in 0..7_u8, from in 0..500_000_i64) {
            let cron: Cron = format!("{minute} */{step} * * {weekday}").parse().expect("an expression");
            let start: DateTime = "2026-01-01T00:00:00".parse().expect("a moment");
            let start = start.checked_add(from.minutes()).expect("a moment");
            let mut slow = start;
            loop {
                slow = slow.checked_add(1.minutes()).expect("a moment");
                let fits = slow.minute() == minute as i8 && slow.hour() % step as i8 == 0;
                if fits && slow.weekday().to_sunday_zero_offset() == weekday as i8 {
                    break;
                }
            }
            prop_assert_eq!(cron.next(start), Some(slow));
        }
    }
}
