//! Where schedules are written down: by plugins, by their declarations, by the command line.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use nekro_core::{BoxFuture, Caller, ClockPort, Error, PluginId, Result, Schedule, ScheduleRecord, ScheduleWhen, SchedulesPort};
use tokio::sync::Notify;

use super::{
    SchedulesSettings,
    calendar::Calendar,
    due,
    timing::{self, Timing},
};
use crate::storage::{
    Ledger,
    schedules::{self, NewScheduleRow, ScheduleRow, Times},
};

/// Writes schedules down. A handle; clones are the same book.
#[derive(Clone)]
pub(crate) struct Book {
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn ClockPort>,
    pub(super) rules: Arc<Rules>,
    /// There may be something to do.
    work: Arc<Notify>,
    /// What others have not been told of yet.
    told: Arc<std::sync::Mutex<Vec<Change>>>,
}

/// What happened to a schedule.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Created(ScheduleRecord),
    Removed(ScheduleRecord),
}

/// What the operator has set.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(super) settings: SchedulesSettings,
    pub(super) calendar: Calendar,
    pub(super) zone: TimeZone,
}

impl Rules {
    /// Returns when a schedule is due next, after a moment.
    pub(super) fn times(&self, plugin: &str, schedule: &Schedule, since: Timestamp, after: Timestamp) -> Option<Times> {
        let timing = Timing { schedule, since, calendar: &self.calendar, zone: &self.zone };
        let tick = timing.next(after)?;
        let off = put_off(plugin, &schedule.name, tick, schedule.jitter);
        Some(Times { tick, due: tick.checked_add(off).unwrap_or(tick) })
    }
}

/// Returns by how much a run is put off. It looks like chance, and every process comes to the same.
fn put_off(plugin: &str, name: &str, tick: Timestamp, most: Duration) -> Duration {
    let text = format!("{plugin}\n{name}\n{tick}");
    // FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>, and a last mixing: its upper bits alone are poor.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    if most == 0 { Duration::ZERO } else { Duration::from_millis((hash >> 11) % most) }
}

fn invalid(problem: String) -> Error {
    Error::new(problem).with_code("invalid_schedule")
}

impl Book {
    /// Opens the book. `work` is rung when there may be something to do.
    pub(crate) fn new(
        ledger: Ledger,
        clock: Arc<dyn ClockPort>,
        settings: &SchedulesSettings,
        work: Arc<Notify>,
    ) -> Result<Self> {
        let zone = timing::zone(&settings.zone)
            .ok_or_else(|| Error::new(format!("`schedules.zone`: {}", timing::unknown_zone(&settings.zone))))?;
        let rules = Arc::new(Rules { calendar: settings.calendar(), settings: settings.clone(), zone });
        Ok(Self { ledger, clock, rules, work, told: Arc::default() })
    }

    fn note(&self, change: Change) {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(change);
        self.work.notify_one();
    }

    /// Takes out what others have not been told of yet.
    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn check(&self, plugin: &str, schedule: &Schedule, now: Timestamp) -> Result<Option<Times>> {
        schedule.check().map_err(invalid)?;
        if let ScheduleWhen::Cron { zone, .. } = &schedule.when
            && timing::zone(zone).is_none()
        {
            return Err(invalid(timing::unknown_zone(zone)));
        }
        let times = self.rules.times(plugin, schedule, now, now);
        if times.is_none() {
            return Err(invalid("it is never due: its time has passed, or its days never come".to_owned()));
        }
        Ok(times)
    }

    async fn write_down(&self, plugin: &str, schedule: Schedule, caller: Caller) -> Result<ScheduleRecord> {
        let now = self.clock.now();
        let times = self.check(plugin, &schedule, now)?;
        let most_failures = schedule.pause_after.unwrap_or(self.rules.settings.pause_after);
        let name = schedule.name.clone();
        let caller = Caller { turn: None, ..caller };
        let new = NewScheduleRow { plugin: plugin.to_owned(), schedule, declared: false, caller, most_failures, times };
        let most = self.rules.settings.per_plugin;
        let written = self.ledger.write(move |db| {
            let has_room = schedules::put(db, &new, now, most)?;
            Ok(if has_room { schedules::find(db, &new.plugin, &new.schedule.name)? } else { None })
        });
        let row = written.await?.ok_or_else(|| {
            Error::new(format!(
                "the plugin `{plugin}` has {most} schedules already (`schedules.per_plugin`), and `{name}` would be one more"
            ))
            .with_code("busy")
        })?;
        self.note(Change::Created(row.record.clone()));
        Ok(row.record)
    }

    /// Brings what the linked plugins declare into the book, and takes out what they no longer do.
    pub(crate) async fn declare(&self, declared: Vec<(String, Schedule)>) -> Result<()> {
        let (now, rules) = (self.clock.now(), Arc::clone(&self.rules));
        let created = self.ledger.write(move |db| {
            let known = schedules::list(db, None)?;
            for row in known.iter().filter(|row| row.record.is_declared) {
                let is_declared = |(plugin, schedule): &(String, Schedule)| {
                    row.record.plugin.as_str() == plugin && row.record.schedule.name == schedule.name
                };
                if !declared.iter().any(is_declared) {
                    schedules::remove(db, row.record.plugin.as_str(), &row.record.schedule.name)?;
                }
            }
            let mut created = Vec::new();
            for (plugin, schedule) in declared {
                let found =
                    known.iter().find(|row| row.record.plugin.as_str() == plugin && row.record.schedule.name == schedule.name);
                if found.is_some_and(|row| row.record.schedule == schedule) {
                    continue;
                }
                let times = rules.times(&plugin, &schedule, now, now);
                let most_failures = schedule.pause_after.unwrap_or(rules.settings.pause_after);
                // One whose only time has passed has nothing to wait for.
                if times.is_none() {
                    continue;
                }
                let new = NewScheduleRow { plugin, schedule, declared: true, caller: Caller::host(), most_failures, times };
                schedules::put(db, &new, now, usize::MAX)?;
                created.extend(schedules::find(db, &new.plugin, &new.schedule.name)?);
            }
            Ok(created)
        });
        created.await?.into_iter().for_each(|row| self.note(Change::Created(row.record)));
        Ok(())
    }

    /// Returns the schedules of a plugin, or of all.
    pub(crate) async fn all(&self, plugin: Option<&str>) -> Result<Vec<ScheduleRecord>> {
        let rows = self.ledger.read(|db| schedules::list(db, plugin)).await?;
        Ok(rows.into_iter().map(|row| row.record).collect())
    }

    /// Returns the next moments of all schedules, the first one first.
    pub(crate) async fn upcoming(&self, count: usize) -> Result<Vec<(Timestamp, ScheduleRecord)>> {
        self.upcoming_of(count, |_| true).await
    }

    /// Returns the next moments of some schedules, the first one first.
    pub(crate) async fn upcoming_of(
        &self,
        count: usize,
        is_wanted: impl Fn(&ScheduleRecord) -> bool,
    ) -> Result<Vec<(Timestamp, ScheduleRecord)>> {
        let rows = self.ledger.read(|db| schedules::list(db, None)).await?;
        let mut all = Vec::new();
        for row in rows.into_iter().filter(|row| row.record.paused.is_none() && is_wanted(&row.record)) {
            let mut next = row.tick;
            let most = row
                .record
                .schedule
                .most_runs
                .map_or(count, |most| usize::try_from(most.saturating_sub(row.record.runs)).unwrap_or(count));
            for _ in 0..count.min(most) {
                let Some(tick) = next else { break };
                all.push((tick, row.record.clone()));
                let is_open_ended = matches!(row.record.schedule.when, ScheduleWhen::Every { from_end: true, .. });
                next = if is_open_ended { None } else { self.after(&row, tick) };
            }
        }
        all.sort_by_key(|(tick, record)| (*tick, record.full_name()));
        all.truncate(count);
        Ok(all)
    }

    fn after(&self, row: &ScheduleRow, tick: Timestamp) -> Option<Timestamp> {
        self.rules.times(row.record.plugin.as_str(), &row.record.schedule, row.created, tick).map(|times| times.tick)
    }

    pub(crate) async fn remove_of(&self, plugin: &str, name: &str) -> Result<bool> {
        let (plugin, name) = (plugin.to_owned(), name.to_owned());
        let removed = self.ledger.write(move |db| {
            let found = schedules::find(db, &plugin, &name)?;
            schedules::remove(db, &plugin, &name)?;
            Ok(found)
        });
        let removed = removed.await?;
        let was_there = removed.is_some();
        if let Some(row) = removed {
            self.note(Change::Removed(row.record));
        }
        Ok(was_there)
    }

    pub(crate) async fn pause_of(&self, plugin: &str, name: &str, pause: bool) -> Result<bool> {
        let (plugin, name, now, rules) = (plugin.to_owned(), name.to_owned(), self.clock.now(), Arc::clone(&self.rules));
        let changed = self.ledger.write(move |db| {
            if pause {
                return schedules::pause(db, &plugin, &name, "somebody paused it");
            }
            let Some(row) = schedules::find(db, &plugin, &name)? else { return Ok(false) };
            if row.record.paused.is_none() {
                return Ok(true);
            }
            // What it missed while it rested is nobody's misfire.
            let times = rules.times(&plugin, &row.record.schedule, row.created, now);
            schedules::resume(db, &plugin, &name, times)
        });
        let changed = changed.await?;
        self.work.notify_one();
        Ok(changed)
    }

    pub(crate) async fn run_now_of(&self, plugin: &str, name: &str) -> Result<bool> {
        let (plugin, name, now) = (plugin.to_owned(), name.to_owned(), self.clock.now());
        let ran = self.ledger.write(move |db| {
            let Some(row) = schedules::find(db, &plugin, &name)? else { return Ok(false) };
            due::run(db, &row, None, now)?;
            schedules::fired(db, &row, 1, row.tick.zip(row.record.next).map(|(tick, due)| Times { tick, due }), now)?;
            Ok(true)
        });
        let ran = ran.await?;
        self.work.notify_one();
        Ok(ran)
    }
}

impl SchedulesPort for Book {
    fn put<'a>(&'a self, of: &'a PluginId, schedule: Schedule, caller: &'a Caller) -> BoxFuture<'a, Result<ScheduleRecord>> {
        Box::pin(self.write_down(of.as_str(), schedule, caller.clone()))
    }

    fn remove<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.remove_of(of.as_str(), name))
    }

    fn pause<'a>(&'a self, of: &'a PluginId, name: &'a str, pause: bool) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.pause_of(of.as_str(), name, pause))
    }

    fn run_now<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.run_now_of(of.as_str(), name))
    }

    fn list<'a>(&'a self, of: &'a PluginId, prefix: &'a str) -> BoxFuture<'a, Result<Vec<ScheduleRecord>>> {
        Box::pin(async move {
            let all = self.all(Some(of.as_str())).await?;
            Ok(all.into_iter().filter(|record| record.schedule.name.starts_with(prefix)).collect())
        })
    }
}
