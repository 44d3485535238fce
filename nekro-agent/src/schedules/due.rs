//! What is due: found, made a background task of, and put forward to its next time, all in one transaction.

use std::time::Duration;

use jiff::Timestamp;
use nekro_core::{Action, Caller, Misfire, Origin, Overlap, ScheduleRecord, ScheduleWhen};
use rusqlite::Connection;

use super::{Book, book::Rules};
use crate::storage::{
    StorageError,
    schedules::{self, ScheduleRow},
    tasks::{self, NewTaskRow},
};

/// How many schedules of one plugin are looked at in one transaction.
const MOST: usize = 100;

/// A schedule that was run.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) record: ScheduleRecord,
    /// How often, by now.
    pub(crate) runs: usize,
}

impl Book {
    /// Returns the plugins of which something is due, and when the next one is.
    pub(crate) async fn look(&self, now: Timestamp) -> Result<(Vec<String>, Option<i64>), StorageError> {
        let next = self.ledger.read(schedules::next).await?;
        let due = next.iter().filter(|(_, due)| *due <= now.as_microsecond()).map(|(plugin, _)| plugin.clone()).collect();
        let later = next.iter().map(|(_, due)| *due).filter(|due| *due > now.as_microsecond()).min();
        Ok((due, later))
    }

    /// Runs what is due of these plugins. Whoever does so at the same time finds nothing more.
    pub(crate) async fn fire(&self, plugins: Vec<String>, now: Timestamp) -> Result<Vec<Fired>, StorageError> {
        let rules = std::sync::Arc::clone(&self.rules);
        let fire = move |db: &Connection| {
            let mut fired = Vec::new();
            for plugin in &plugins {
                for row in schedules::due(db, plugin, now, MOST)? {
                    let runs = fire_one(db, &rules, &row, now)?;
                    if runs > 0 {
                        fired.push(Fired { record: row.record, runs });
                    }
                }
            }
            Ok(fired)
        };
        self.ledger.write(fire).await
    }
}

/// Runs one, as often as is due, and returns how often that was.
fn fire_one(db: &Connection, rules: &Rules, row: &ScheduleRow, now: Timestamp) -> Result<usize, StorageError> {
    let ScheduleRecord { plugin, schedule, runs: before, .. } = &row.record;
    let (plugin, Some(tick)) = (plugin.as_str(), row.tick) else { return Ok(0) };
    let after = |moment| rules.times(plugin, schedule, row.created, moment);
    // What was put off by chance is not late by that.
    let late = Duration::try_from(now.duration_since(row.record.next.unwrap_or(tick))).unwrap_or_default();
    let is_misfire = late > schedule.grace.unwrap_or(rules.settings.grace);
    let (mut ticks, mut next) = match schedule.misfire {
        _ if !is_misfire => (vec![tick], after(tick)),
        Misfire::Once => (vec![tick], after(now)),
        Misfire::Skip => (Vec::new(), after(now)),
        Misfire::All => {
            let mut ticks = vec![tick];
            let mut next = after(tick);
            while let Some(times) = next.filter(|times| times.tick <= now && ticks.len() < rules.settings.catch_up) {
                ticks.push(times.tick);
                next = after(times.tick);
            }
            // What is more than can be made up for is given up.
            if next.is_some_and(|times| times.tick <= now) {
                next = after(now);
            }
            (ticks, next)
        }
    };
    let left = schedule.most_runs.map_or(usize::MAX, |most| usize::try_from(most.saturating_sub(*before)).unwrap_or(usize::MAX));
    ticks.truncate(left);
    let is_caught_up = is_misfire && schedule.misfire == Misfire::All;
    if schedule.overlap == Overlap::Skip && !is_caught_up && schedules::is_running(db, plugin, &schedule.name)? {
        ticks.clear();
    }
    for tick in &ticks {
        run(db, row, Some(*tick), now)?;
    }
    let counts_from_end = matches!(schedule.when, ScheduleWhen::Every { from_end: true, .. });
    let has_ended = ticks.len() == left || next.is_none();
    if counts_from_end && !ticks.is_empty() {
        next = None;
    }
    if has_ended {
        schedules::remove(db, plugin, &schedule.name)?;
    } else {
        schedules::fired(db, row, ticks.len(), next, now)?;
    }
    Ok(ticks.len())
}

/// Makes a background task of one run.
pub(super) fn run(db: &Connection, row: &ScheduleRow, tick: Option<Timestamp>, now: Timestamp) -> Result<(), StorageError> {
    let ScheduleRecord { plugin, schedule, .. } = &row.record;
    let (name, arguments, callback) = match &schedule.action {
        Action::Task { task, arguments, on_terminal } => (task.clone(), arguments.to_string(), on_terminal.clone()),
        other => (ACTION.to_owned(), serde_json::to_string(other)?, None),
    };
    let new = NewTaskRow {
        plugin: plugin.as_str().to_owned(),
        name,
        arguments,
        caller: Caller { origin: Origin::Schedule, ..row.caller.clone() },
        parent: None,
        schedule: Some(schedule.name.clone()),
        serial: (schedule.overlap != Overlap::Parallel).then(|| format!("{plugin} {}", schedule.name)),
        // Each time once, even if the row were read twice.
        key: tick.map(|tick| format!("schedule {} at {}", schedule.name, tick.as_microsecond())),
        due: now,
        callback,
        tell: false,
    };
    tasks::insert(db, &new, now, usize::MAX).map(drop)
}

/// The name of the task that carries out an action of the host's.
pub(crate) const ACTION: &str = "@action";
