//! `[schedules]`: the calendar, and what becomes of runs that are late or fail.

use std::time::Duration;

use jiff::{
    civil::{Date, Weekday},
    fmt::serde::unsigned_duration::friendly::compact::required as friendly,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;

/// The calendar of schedules, and what becomes of runs that are late or fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SchedulesSettings {
    /// The time zone of the days of schedules that name none, such as `Europe/Berlin`.
    pub(crate) zone: String,
    /// The days of the week that are no workdays.
    pub(crate) weekend: Vec<Day>,
    /// Days that are no workdays, such as `2026-12-25`.
    pub(crate) holidays: Vec<Date>,
    /// Days that are workdays although they would be none.
    pub(crate) workdays: Vec<Date>,
    /// How long after its time a run still counts as in time. Later it is a misfire.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) grace: Duration,
    /// How many runs are made up for at most, of a schedule that wants each.
    pub(crate) catch_up: usize,
    /// After how many failures in a row a schedule rests that does not say so itself; with 0, never.
    pub(crate) pause_after: u32,
    /// How many schedules a plugin may have.
    pub(crate) per_plugin: usize,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Default for SchedulesSettings {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            weekend: vec![Day::Saturday, Day::Sunday],
            holidays: Vec::new(),
            workdays: Vec::new(),
            grace: Duration::from_secs(5 * 60),
            catch_up: 100,
            pause_after: 3,
            per_plugin: 1_000,
        }
    }
}

impl SchedulesSettings {
    pub(super) fn calendar(&self) -> Calendar {
        let day = |day: &Day| match day {
            Day::Monday => Weekday::Monday,
            Day::Tuesday => Weekday::Tuesday,
            Day::Wednesday => Weekday::Wednesday,
            Day::Thursday => Weekday::Thursday,
            Day::Friday => Weekday::Friday,
            Day::Saturday => Weekday::Saturday,
            Day::Sunday => Weekday::Sunday,
        };
        Calendar {
            weekend: self.weekend.iter().map(day).collect(),
            holidays: self.holidays.iter().copied().collect(),
            workdays: self.workdays.iter().copied().collect(),
        }
    }
}
