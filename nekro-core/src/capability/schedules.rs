//! Setting up what is done later, or again and again.

use std::{fmt, sync::Arc};

use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call},
    caller::Caller,
    error::{Error, Result},
    ids::PluginId,
    lend::{Lend, Loan},
    plugin::Plugin,
    schedule::{Action, Schedule, ScheduleRecord},
};

/// Sets up what is done later, or again and again. Those of other plugins are out of its reach.
///
/// A schedule outlives the process, and each of its runs is a background task.
#[derive(Clone)]
pub struct Schedules {
    port: Arc<dyn SchedulesPort>,
    plugin: PluginId,
    caller: Caller,
}

/// Where schedules are kept. Implemented by the host. A plugin is given with every request: another one's schedules are not there.
pub trait SchedulesPort: Send + Sync {
    /// Keeps a schedule, in place of the one of its name. It is safe when this returns.
    fn put<'a>(&'a self, of: &'a PluginId, schedule: Schedule, caller: &'a Caller) -> BoxFuture<'a, Result<ScheduleRecord>>;

    /// Removes a schedule. Returns whether there was one.
    fn remove<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Lets a schedule rest, or go on. Returns whether there is one.
    fn pause<'a>(&'a self, of: &'a PluginId, name: &'a str, pause: bool) -> BoxFuture<'a, Result<bool>>;

    /// Runs a schedule once, beside its times. Returns whether there is one.
    fn run_now<'a>(&'a self, of: &'a PluginId, name: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Returns the plugin's schedules whose names begin so, in the order of their names.
    fn list<'a>(&'a self, of: &'a PluginId, prefix: &'a str) -> BoxFuture<'a, Result<Vec<ScheduleRecord>>>;
}

impl Schedules {
    /// Makes a handle over a port.
    pub fn new(port: Arc<dyn SchedulesPort>, plugin: PluginId, caller: Caller) -> Self {
        Self { port, plugin, caller }
    }

    /// Sets a schedule up, in place of the one of its name. Messages and prompts go to the conversation of this call.
    ///
    /// # Errors
    ///
    /// `invalid_schedule`, with what is wrong; `no_session` if it needs a conversation and there is none; `busy` if the plugin has too many.
    pub async fn add(&self, schedule: Schedule) -> Result<ScheduleRecord> {
        schedule.check().map_err(|problem| Error::new(problem).with_code("invalid_schedule"))?;
        if matches!(schedule.action, Action::Message { .. } | Action::Prompt { .. }) && self.caller.session.is_none() {
            return Err(Error::new("there is no conversation that the schedule could speak to").with_code("no_session"));
        }
        self.port.put(&self.plugin, schedule, &self.caller).await
    }

    /// Removes a schedule. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        self.port.remove(&self.plugin, name).await
    }

    /// Lets a schedule rest. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn pause(&self, name: &str) -> Result<bool> {
        self.port.pause(&self.plugin, name, true).await
    }

    /// Lets a schedule go on that rests. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn resume(&self, name: &str) -> Result<bool> {
        self.port.pause(&self.plugin, name, false).await
    }

    /// Runs a schedule once, beside its times. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn run_now(&self, name: &str) -> Result<bool> {
        self.port.run_now(&self.plugin, name).await
    }

    /// Returns the plugin's schedules whose names begin so, in the order of their names.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ScheduleRecord>> {
        self.port.list(&self.plugin, prefix).await
    }
}

impl fmt::Debug for Schedules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedules").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

static SCHEDULES: CapabilityDecl = CapabilityDecl {
    name: "schedules",
    summary: "sets up what is done later: messages, prompts to the agent, events and its own tasks",
    scope: None,
    provided: |ports| ports.has::<dyn SchedulesPort>(),
};

impl<P: Plugin> Lend<P> for Schedules {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&SCHEDULES);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn SchedulesPort>(&SCHEDULES, |gated| Arc::new(gated))?;
        Ok(Loan::Handle(Self::new(port, call.plugin.id().clone(), call.caller.clone())))
    }
}
