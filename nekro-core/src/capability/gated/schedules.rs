//! Setting up schedules, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    caller::Caller,
    capability::SchedulesPort,
    error::Result,
    ids::PluginId,
    schedule::{Schedule, ScheduleRecord},
};

impl SchedulesPort for Gated<dyn SchedulesPort> {
    fn put<'a>(&'a self, of: &'a PluginId, schedule: Schedule, caller: &'a Caller) -> BoxFuture<'a, Result<ScheduleRecord>> {
        Box::pin(self.gate.pass(async move { self.port.put(of, schedule, caller).await }))
    }

    fn remove<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.gate.pass(async move { self.port.remove(of, name).await }))
    }

    fn pause<'a>(&'a self, of: &'a PluginId, name: &'a str, pause: bool) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.gate.pass(async move { self.port.pause(of, name, pause).await }))
    }

    fn run_now<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.gate.pass(async move { self.port.run_now(of, name).await }))
    }

    fn list<'a>(&'a self, of: &'a PluginId, prefix: &'a str) -> BoxFuture<'a, Result<Vec<ScheduleRecord>>> {
        Box::pin(self.gate.pass(async move { self.port.list(of, prefix).await }))
    }
}
