//! When schedules are due: around changes of the clocks, on workdays, over ten years.

use std::time::Duration;

use expect_test::{Expect, expect};
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use nekro_core::{Misfire, Overlap, Schedule, ScheduleDecl, WhenDecl, Workdays};

use super::{
    SchedulesSettings, in_no_zone,
    timing::{Timing, zone},
};

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

#[track_caller]
fn check(schedule: &Schedule, from: &str, count: usize, expected: Expect) {
    let settings = SchedulesSettings {
        holidays: vec![date(2026, 12, 25), date(2026, 1, 1)],
        workdays: vec![date(2026, 12, 26)],
        ..SchedulesSettings::default()
    };
    let (calendar, since) = (settings.calendar(), moment(from));
    let timing = Timing { schedule, since, calendar: &calendar, zone: &TimeZone::UTC };
    let mut at = Some(since);
    let mut all = Vec::new();
    for _ in 0..count {
        at = at.and_then(|at| timing.next(at));
        all.push(at.map_or("never".to_owned(), |at| at.to_string()));
    }
    expected.assert_eq(&all.join(" "));
}

fn berlin(cron: &str) -> Schedule {
    Schedule::cron("x", cron).zone("Europe/Berlin")
}

#[test]
fn when_clocks_are_set_forward_nothing_is_left_out() {
    // 02:00 is 03:00 on 29 March 2026.
    check(
        &berlin("30 2 * * *"),
        "2026-03-27T12:00:00Z",
        3,
        expect!["2026-03-28T01:30:00Z 2026-03-29T01:30:00Z 2026-03-30T00:30:00Z"],
    );
    check(&berlin("30 2,3 * * *"), "2026-03-29T00:00:00Z", 2, expect!["2026-03-29T01:30:00Z 2026-03-30T00:30:00Z"]);
    check(
        &berlin("*/30 * * * *"),
        "2026-03-29T00:15:00Z",
        4,
        expect!["2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z 2026-03-29T02:00:00Z"],
    );
}

#[test]
fn when_clocks_are_set_back_something_daily_is_due_once_and_something_hourly_goes_on() {
    // 03:00 is 02:00 again on 25 October 2026.
    check(&berlin("30 2 * * *"), "2026-10-24T12:00:00Z", 2, expect!["2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"]);
    check(
        &berlin("30 * * * *"),
        "2026-10-25T00:00:00Z",
        4,
        expect!["2026-10-25T00:30:00Z 2026-10-25T01:30:00Z 2026-10-25T02:30:00Z 2026-10-25T03:30:00Z"],
    );
    check(&berlin("0 3 * * *"), "2026-10-25T00:45:00Z", 2, expect!["2026-10-25T02:00:00Z 2026-10-26T02:00:00Z"]);
}

#[test]
fn an_interval_counts_from_where_it_began_and_drifts_nowhere() {
    let every = Schedule::every("x", Duration::from_secs(900));
    check(&every, "2026-03-29T00:07:00Z", 3, expect!["2026-03-29T00:22:00Z 2026-03-29T00:37:00Z 2026-03-29T00:52:00Z"]);
    let until = every.until(moment("2026-03-29T00:30:00Z"));
    check(&until, "2026-03-29T00:07:00Z", 2, expect!["2026-03-29T00:22:00Z never"]);
    let once = Schedule::at("x", moment("2026-05-01T00:00:00Z"));
    check(&once, "2026-03-29T00:07:00Z", 2, expect!["2026-05-01T00:00:00Z never"]);
    // What is kept of a moment is less than there was.
    let once = Schedule::at("x", moment("2026-05-01T00:00:00.000000700Z"));
    check(&once, "2026-05-01T00:00:00Z", 1, expect!["never"]);
}

#[test]
fn workdays_are_those_of_the_calendar() {
    // Thursday 24 December; the 25th is a holiday, the 26th a Saturday that is worked on.
    let daily = |workdays| Schedule::cron("x", "0 9 * * *").workdays(workdays);
    check(
        &daily(Workdays::Only),
        "2026-12-23T12:00:00Z",
        3,
        expect!["2026-12-24T09:00:00Z 2026-12-26T09:00:00Z 2026-12-28T09:00:00Z"],
    );
    check(
        &daily(Workdays::Off),
        "2026-12-23T12:00:00Z",
        3,
        expect!["2026-12-25T09:00:00Z 2026-12-27T09:00:00Z 2027-01-02T09:00:00Z"],
    );
    let monthly = |cron, workdays| Schedule::cron("x", cron).workdays(workdays);
    check(
        &monthly("0 9 25 * *", Workdays::Next),
        "2026-11-01T00:00:00Z",
        2,
        expect!["2026-11-25T09:00:00Z 2026-12-26T09:00:00Z"],
    );
    check(
        &monthly("0 9 25 * *", Workdays::Previous),
        "2026-11-01T00:00:00Z",
        2,
        expect!["2026-11-25T09:00:00Z 2026-12-24T09:00:00Z"],
    );
    check(
        &daily(Workdays::Next),
        "2026-12-24T12:00:00Z",
        3,
        expect!["2026-12-26T09:00:00Z 2026-12-28T09:00:00Z 2026-12-29T09:00:00Z"],
    );
}

#[test]
fn over_ten_years_something_daily_is_due_once_on_every_day_of_every_zone() {
    for (name, cron) in [
        ("Europe/Berlin", "30 2 * * *"),
        ("America/New_York", "30 1 * * *"),
        ("Australia/Lord_Howe", "45 1 * * *"),
        ("Asia/Shanghai", "0 0 * * *"),
        ("America/Santiago", "0 0 * * *"),
        ("Africa/Casablanca", "15 2 * * *"),
    ] {
        let schedule = Schedule::cron("x", cron).zone(name);
        let (calendar, zone) = (SchedulesSettings::default().calendar(), zone(name).expect("a zone"));
        let since = zone.to_timestamp(date(2026, 1, 1).at(0, 0, 0, 0)).expect("a moment");
        let timing = Timing { schedule: &schedule, since, calendar: &calendar, zone: &TimeZone::UTC };
        let (mut at, mut day) = (since.checked_sub(1.second()).expect("a moment"), date(2026, 1, 1));
        while day < date(2036, 1, 1) {
            at = timing.next(at).expect("it goes on");
            assert_eq!(zone.to_datetime(at).date(), day, "{name}");
            day = day.tomorrow().expect("a day");
        }
    }
}

#[test]
fn over_ten_years_something_hourly_is_due_every_hour() {
    let schedule = berlin("0 * * * *");
    let calendar = SchedulesSettings::default().calendar();
    let mut at = moment("2026-01-01T00:00:00Z");
    let timing = Timing { schedule: &schedule, since: at, calendar: &calendar, zone: &TimeZone::UTC };
    while at < moment("2036-01-01T00:00:00Z") {
        let next = timing.next(at).expect("it goes on");
        assert_eq!(next.duration_since(at).as_secs(), 3_600, "after {at}");
        at = next;
    }
}

#[test]
fn a_declared_schedule_in_a_zone_that_is_none_is_told_with_its_place() {
    let registry = crate::registry_of(|id| id == "probe");
    let known = registry.schedules()[0];
    assert!(in_no_zone(registry.schedules()).is_empty());
    let wrong = |zone| ScheduleDecl {
        task: known.task,
        when: WhenDecl::Cron("0 9 * * *", zone),
        workdays: Workdays::All,
        misfire: Misfire::Once,
        overlap: Overlap::Skip,
        grace: None,
        jitter: None,
        pause_after: None,
        location: known.location,
    };
    let (near, far) = (wrong("Europe/Berlinn"), wrong("Middle/Earth"));
    let problems = in_no_zone(&[&near, known, &far]);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].contains("`probe` at ") && problems[0].contains("did you mean `Europe/Berlin`?"), "{problems:?}");
    assert!(problems[1].ends_with("there is no time zone `Middle/Earth`: write it like `Europe/Berlin`"), "{problems:?}");
}
