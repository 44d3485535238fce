//! When a schedule is due: from its description, a moment and a calendar to the next moment.
//!
//! A cron expression that names every hour goes by time passing: when clocks are set back, it is due in both of the two hours, and when they are
//! set forward, nothing is missed. One that names hours goes by what clocks show: what falls into the hour that is left out comes by so much later,
//! and what falls into the hour that comes twice comes the first time. So something daily is due once on every day.

use std::sync::LazyLock;

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};
use nekro_core::{Cron, Schedule, ScheduleDecl, ScheduleWhen, WhenDecl, Workdays};

use super::calendar::Calendar;

/// The rules of all zones, as the program was built with them: the same everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// How many moments, or changes of clocks, are looked at before a schedule counts as never due.
const MOST_LOOKED_AT: usize = 100_000;

/// How far a moment may be moved to a workday.
const MOST_MOVED: i64 = 60 * 24;

/// Finds a time zone.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { ZONES.get(name).ok() }
}

/// Says what is wrong with the name of a time zone, and which was meant.
pub(super) fn unknown_zone(name: &str) -> String {
    let known: Vec<String> = ZONES.available().map(|known| known.as_str().to_owned()).collect();
    let meant = nekro_core::suggest(name, known.iter().map(String::as_str));
    let meant = meant.map_or_else(|| "write it like `Europe/Berlin`".to_owned(), |meant| format!("did you mean `{meant}`?"));
    format!("there is no time zone `{name}`: {meant}")
}

/// Says which of these schedules are in a time zone that there is not: they would never be due.
pub(crate) fn in_no_zone(schedules: &[&ScheduleDecl]) -> Vec<String> {
    let wrong = schedules.iter().filter_map(|decl| match decl.when {
        WhenDecl::Cron(_, name) if zone(name).is_none() => {
            let (task, location, problem) = (decl.task, decl.location, unknown_zone(name));
            Some(format!("the schedule `{}` of the plugin `{}` at {location}: {problem}", task.name, task.plugin.id))
        }
        _ => None,
    });
    wrong.collect()
}

/// What a schedule's time is reckoned by.
pub(super) struct Timing<'t> {
    pub(super) schedule: &'t Schedule,
    /// When it was set up: intervals count from there.
    pub(super) since: Timestamp,
    pub(super) calendar: &'t Calendar,
    /// Of those that name no zone.
    pub(super) zone: &'t TimeZone,
}

impl Timing<'_> {
    /// Returns the first moment after another one at which it is due.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let found = match self.schedule.workdays {
            Workdays::All => self.raw(after),
            Workdays::Only => self.first(after, |timing, moment| timing.is_workday(moment).then_some(moment)),
            Workdays::Off => self.first(after, |timing, moment| (!timing.is_workday(moment)).then_some(moment)),
            Workdays::Next => self.moved(after, true),
            Workdays::Previous => self.moved(after, false),
        };
        found.filter(|moment| self.schedule.until.is_none_or(|until| *moment <= until))
    }

    fn own_zone(&self) -> Option<TimeZone> {
        match &self.schedule.when {
            ScheduleWhen::Cron { zone: name, .. } => zone(name),
            _ => Some(self.zone.clone()),
        }
    }

    fn zoned(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.own_zone().unwrap_or(TimeZone::UTC))
    }

    fn is_workday(&self, moment: Timestamp) -> bool {
        self.calendar.is_workday(self.zoned(moment).date())
    }

    /// Looks at one moment after the other.
    fn first(&self, after: Timestamp, fits: impl Fn(&Self, Timestamp) -> Option<Timestamp>) -> Option<Timestamp> {
        let mut at = after;
        for _ in 0..MOST_LOOKED_AT {
            at = self.raw(at)?;
            if let Some(found) = fits(self, at) {
                return Some(found);
            }
        }
        None
    }

    /// Returns the first moment after another one, each moved to a workday.
    fn moved(&self, after: Timestamp, forwards: bool) -> Option<Timestamp> {
        // One that was due before may have been moved to after it.
        let from = after.checked_sub(MOST_MOVED.hours()).ok()?;
        self.first(from, |timing, moment| {
            let zoned = timing.zoned(moment);
            let date = timing.calendar.nearest(zoned.date(), forwards)?;
            let moved = if date == zoned.date() {
                moment
            } else {
                zoned.time_zone().to_ambiguous_timestamp(date.to_datetime(zoned.time())).compatible().ok()?
            };
            (moved > after).then_some(moved)
        })
    }

    fn raw(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.schedule.when {
            // A moment is kept to the microsecond: what is left of it must not make it due again.
            ScheduleWhen::At { at } => Some(*at).filter(|at| at.as_microsecond() > after.as_microsecond()),
            ScheduleWhen::Every { every, from_end: true } => after.checked_add(*every).ok(),
            ScheduleWhen::Every { every, from_end: false } => {
                let every = i64::try_from(every.as_micros()).ok().filter(|every| *every > 0)?;
                let passed = after.as_microsecond().saturating_sub(self.since.as_microsecond()).max(0);
                let next = self.since.as_microsecond().checked_add((passed / every + 1).checked_mul(every)?)?;
                Timestamp::from_microsecond(next).ok()
            }
            ScheduleWhen::Cron { cron, zone: name } => {
                let (cron, zone) = (cron.parse::<Cron>().ok()?, zone(name)?);
                if cron.is_hourly() { by_time_passing(&cron, &zone, after) } else { by_clock(&cron, &zone, after) }
            }
        }
    }
}

/// Goes from one change of the clocks to the next: in between, an hour is an hour.
fn by_time_passing(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let offset = zone.to_offset(after);
    let (mut offset, mut from, mut since) = (offset, offset.to_datetime(after), after);
    for _ in 0..MOST_LOOKED_AT {
        let found = cron.next(from).and_then(|found| offset.to_timestamp(found).ok());
        let change = zone.following(since).next().map(|change| change.timestamp());
        match (found, change) {
            (Some(found), None) => return Some(found),
            (Some(found), Some(change)) if found < change => return Some(found),
            (_, Some(change)) => {
                offset = zone.to_offset(change);
                // The moment of the change may itself be named.
                from = offset.to_datetime(change).checked_sub(1.seconds()).ok()?;
                since = change;
            }
            (None, None) => return None,
        }
    }
    None
}

/// Goes by what clocks show.
fn by_clock(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    // More than clocks were ever set: what is shown before may come after.
    let mut shown: DateTime = zone.to_datetime(after).checked_sub(26.hours()).ok()?;
    for _ in 0..MOST_LOOKED_AT {
        shown = cron.next(shown)?;
        let moment = zone.to_ambiguous_timestamp(shown).compatible().ok()?;
        if moment > after {
            return Some(moment);
        }
    }
    None
}
