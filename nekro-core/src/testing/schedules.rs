//! A fake for schedules: it keeps them, and runs none.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    call::BoxFuture,
    caller::Caller,
    capability::SchedulesPort,
    error::Result,
    ids::PluginId,
    schedule::{Schedule, ScheduleRecord, When},
};

/// Keeps the schedules that are set up, and runs none of them.
#[derive(Debug, Default)]
pub struct FakeSchedules(Mutex<BTreeMap<(PluginId, String), ScheduleRecord>>);

impl FakeSchedules {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(PluginId, String), ScheduleRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is set up, in the order of names.
    pub fn all(&self) -> Vec<ScheduleRecord> {
        self.lock().values().cloned().collect()
    }

    fn with(&self, of: &PluginId, name: &str, then: impl FnOnce(&mut ScheduleRecord)) -> BoxFuture<'_, Result<bool>> {
        let found = self.lock().get_mut(&(of.clone(), name.to_owned())).map(then).is_some();
        Box::pin(std::future::ready(Ok(found)))
    }
}

impl SchedulesPort for FakeSchedules {
    fn put<'a>(&'a self, of: &'a PluginId, schedule: Schedule, caller: &'a Caller) -> BoxFuture<'a, Result<ScheduleRecord>> {
        let mut record = ScheduleRecord::new(of.clone(), schedule);
        record.session.clone_from(&caller.session);
        record.next = match record.schedule.when {
            When::At { at } => Some(at),
            _ => None,
        };
        self.lock().insert((of.clone(), record.schedule.name.clone()), record.clone());
        Box::pin(std::future::ready(Ok(record)))
    }

    fn remove<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        let found = self.lock().remove(&(of.clone(), name.to_owned())).is_some();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn pause<'a>(&'a self, of: &'a PluginId, name: &'a str, pause: bool) -> BoxFuture<'a, Result<bool>> {
        self.with(of, name, |record| record.paused = pause.then(|| "somebody paused it".to_owned()))
    }

    fn run_now<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.with(of, name, |record| record.runs += 1)
    }

    fn list<'a>(&'a self, of: &'a PluginId, prefix: &'a str) -> BoxFuture<'a, Result<Vec<ScheduleRecord>>> {
        let all = self.all().into_iter().filter(|record| record.plugin == *of && record.schedule.name.starts_with(prefix));
        Box::pin(std::future::ready(Ok(all.collect())))
    }
}
