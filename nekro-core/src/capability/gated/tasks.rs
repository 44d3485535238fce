//! Starting tasks and looking after them, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{NewTask, TasksPort},
    error::Result,
    ids::{PluginId, TaskId},
    task::{TaskRecord, TaskState},
};

impl TasksPort for Gated<dyn TasksPort> {
    fn start(&self, new: NewTask) -> BoxFuture<'_, Result<TaskId>> {
        Box::pin(self.gate.pass(async move { self.port.start(new).await }))
    }

    fn notify<'a>(&'a self, of: &'a PluginId, task: &'a TaskId, name: &'a str, json: String) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.gate.pass(async move { self.port.notify(of, task, name, json).await }))
    }

    fn cancel<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.gate.pass(async move { self.port.cancel(of, task).await }))
    }

    fn get<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskRecord>>> {
        Box::pin(self.gate.pass(async move { self.port.get(of, task).await }))
    }

    fn list<'a>(&'a self, of: &'a PluginId, state: Option<TaskState>, limit: usize) -> BoxFuture<'a, Result<Vec<TaskRecord>>> {
        Box::pin(self.gate.pass(async move { self.port.list(of, state, limit).await }))
    }
}
