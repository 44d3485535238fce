//! Work in the background: starting it, and what it can do while it runs.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call, Input},
    caller::Caller,
    error::{Error, Result},
    ids::{PluginId, TaskId},
    lend::{Lend, LentDecl, LentKind, Loan},
    plugin::Plugin,
    task::{TaskArguments, TaskDecl, TaskRecord, TaskState},
};

/// Starts the plugin's own tasks, and looks after them. Those of other plugins are out of its reach.
#[derive(Clone)]
pub struct Tasks {
    port: Arc<dyn TasksPort>,
    plugin: PluginId,
    caller: Caller,
}

/// A task that is to be started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewTask {
    /// What it is.
    pub decl: &'static TaskDecl,
    /// Its arguments, as a JSON object.
    pub arguments: String,
    /// For whom it works.
    pub caller: Caller,
    /// Names it: while one of this name is known, no second one is made.
    pub key: Option<String>,
    /// When it begins, at the earliest.
    pub due: Option<Timestamp>,
    /// Whether its end is told in its conversation, so that the agent can answer.
    pub tell: bool,
}

impl NewTask {
    /// Describes a task that begins at once.
    pub fn new(decl: &'static TaskDecl, arguments: String, caller: Caller) -> Self {
        Self { decl, arguments, caller, key: None, due: None, tell: false }
    }
}

/// Where tasks are kept and run. Implemented by the host. A plugin is given with every request: another one's tasks are not there.
pub trait TasksPort: Send + Sync {
    /// Keeps a task, which is run in its turn. It is safe when this returns.
    fn start(&self, new: NewTask) -> BoxFuture<'_, Result<TaskId>>;

    /// Gives a task what it waits for under a name, now or later. Returns whether it was the first notice of that name.
    fn notify<'a>(&'a self, of: &'a PluginId, task: &'a TaskId, name: &'a str, json: String) -> BoxFuture<'a, Result<bool>>;

    /// Cancels a task with its children. Returns whether it had not ended.
    fn cancel<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<bool>>;

    /// Returns a task.
    fn get<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskRecord>>>;

    /// Returns the plugin's tasks, the newest first.
    fn list<'a>(&'a self, of: &'a PluginId, state: Option<TaskState>, limit: usize) -> BoxFuture<'a, Result<Vec<TaskRecord>>>;
}

impl Tasks {
    /// Makes a handle over a port.
    pub fn new(port: Arc<dyn TasksPort>, plugin: PluginId, caller: Caller) -> Self {
        Self { port, plugin, caller }
    }

    /// Starts a task: `tasks.start(build { path })`. When this returns, it survives the end of the process.
    ///
    /// # Errors
    ///
    /// `busy` if too many of the plugin's tasks have not ended, and whatever the storage says.
    pub async fn start<T: TaskArguments>(&self, task: T) -> Result<TaskId> {
        self.port.start(self.new_task(&task)?).await
    }

    /// Starts a task under a name: while one of this name is kept, also one that has ended, that one is returned and no other begun.
    ///
    /// # Errors
    ///
    /// As [`Tasks::start`].
    pub async fn start_once<T: TaskArguments>(&self, key: impl Into<String>, task: T) -> Result<TaskId> {
        self.port.start(NewTask { key: Some(key.into()), ..self.new_task(&task)? }).await
    }

    /// Starts a task that begins at a time.
    ///
    /// # Errors
    ///
    /// As [`Tasks::start`].
    pub async fn start_at<T: TaskArguments>(&self, due: Timestamp, task: T) -> Result<TaskId> {
        self.port.start(NewTask { due: Some(due), ..self.new_task(&task)? }).await
    }

    fn new_task<T: TaskArguments>(&self, task: &T) -> Result<NewTask> {
        if T::DECL.plugin.id != self.plugin.as_str() {
            return Err(Error::new(format!("`{}` is a task of the plugin `{}`", T::DECL.name, T::DECL.plugin.id))
                .with_code("forbidden")
                .with_hint("a plugin starts its own tasks; a tool or an event asks another one"));
        }
        Ok(NewTask::new(T::DECL, task.to_json()?, self.caller.clone()))
    }

    /// Gives a task what it waits for under a name: see [`Task::wait`]. It may begin to wait later. Only the first notice of a name
    /// counts; this returns whether it was the first.
    ///
    /// # Errors
    ///
    /// `unknown_task` if the plugin has no such task.
    pub async fn notify<T: Serialize + ?Sized>(&self, task: &TaskId, name: &str, value: &T) -> Result<bool> {
        self.port.notify(&self.plugin, task, name, serde_json::to_string(value)?).await
    }

    /// Cancels a task with its children. Returns whether it had not ended before.
    ///
    /// # Errors
    ///
    /// `unknown_task` if the plugin has no such task.
    pub async fn cancel(&self, task: &TaskId) -> Result<bool> {
        self.port.cancel(&self.plugin, task).await
    }

    /// Returns a task, if the plugin has it.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn get(&self, task: &TaskId) -> Result<Option<TaskRecord>> {
        self.port.get(&self.plugin, task).await
    }

    /// Returns the plugin's tasks in a state, or all, the newest first, and at most `limit`.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn list(&self, state: Option<TaskState>, limit: usize) -> Result<Vec<TaskRecord>> {
        self.port.list(&self.plugin, state, limit).await
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

/// The task itself, while it runs. Only a function with `#[task]` or `#[schedule]` can take it.
///
/// A task may be begun several times: after a failure, after the end of the process, after its plugin was disabled. Whatever it does
/// twice must do no harm; [`Task::checkpoint`] tells the next run how far this one came.
#[derive(Clone)]
pub struct Task {
    run: Arc<dyn TaskRun>,
    plugin: PluginId,
    caller: Caller,
}

/// One run of a task, as the host carries it out. Implemented by the host.
pub trait TaskRun: Send + Sync {
    /// Returns the task.
    fn id(&self) -> &TaskId;

    /// Returns the how manieth run it is, from 1.
    fn attempt(&self) -> u32;

    /// Tells how far it has come, in percent. It must not wait.
    fn progress(&self, percent: u8, text: &str);

    /// Keeps what the next run begins with.
    fn checkpoint(&self, json: String) -> BoxFuture<'_, Result<()>>;

    /// Returns what the last run, or this one, kept.
    fn last_checkpoint(&self) -> Option<String>;

    /// Waits for a notice. The time counts from the first time that any run of the task waited for it.
    fn wait<'a>(&'a self, name: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Option<String>>>;

    /// Starts a child; again, if it was started by an earlier run.
    fn start(&self, child: NewTask) -> BoxFuture<'_, Result<TaskId>>;

    /// Waits for the end of a child.
    fn join<'a>(&'a self, child: &'a TaskId) -> BoxFuture<'a, Result<TaskRecord>>;

    /// Tells the agent something in the conversation of the task.
    fn notify_agent<'a>(&'a self, text: &'a str, trigger: bool) -> BoxFuture<'a, Result<()>>;
}

impl Task {
    /// Makes a handle over a run.
    pub fn new(run: Arc<dyn TaskRun>, plugin: PluginId, caller: Caller) -> Self {
        Self { run, plugin, caller }
    }

    /// Returns its name.
    pub fn id(&self) -> &TaskId {
        self.run.id()
    }

    /// Returns the how manieth run it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.run.attempt()
    }

    /// Tells how far it has come, in percent, and what it is doing. Costs nothing: it is kept a few times a second at most.
    pub fn progress(&self, percent: u8, text: impl AsRef<str>) {
        self.run.progress(percent.min(100), text.as_ref());
    }

    /// Keeps what the next run begins with. It is safe when this returns.
    ///
    /// # Errors
    ///
    /// `too_large` above the host's limit, and whatever the storage says.
    pub async fn checkpoint<T: Serialize + ?Sized>(&self, state: &T) -> Result<()> {
        self.run.checkpoint(serde_json::to_string(state)?).await
    }

    /// Returns what was kept last; nothing in the first run.
    ///
    /// # Errors
    ///
    /// If it is not a `T`.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.run.last_checkpoint().map(|json| read(&json)).transpose()
    }

    /// Waits for a notice of this name ([`Tasks::notify`]), for hours if need be: meanwhile others may run in its place. `None` after
    /// `timeout`, which counts on while the process is away. A name stands for one notice: a task that waits twice gives each its own.
    ///
    /// # Errors
    ///
    /// If the notice is not a `T`.
    pub async fn wait<T: DeserializeOwned>(&self, name: &str, timeout: Duration) -> Result<Option<T>> {
        self.run.wait(name, timeout).await?.map(|json| read(&json)).transpose()
    }

    /// Starts another task as a child, which ends with this one. `key` names it within this task: a later run finds the same child
    /// instead of starting it anew.
    ///
    /// # Errors
    ///
    /// As [`Tasks::start`].
    pub async fn start<T: TaskArguments>(&self, key: impl Into<String>, child: T) -> Result<TaskId> {
        let tasks = &self.run;
        if T::DECL.plugin.id != self.plugin.as_str() {
            return Err(
                Error::new(format!("`{}` is a task of the plugin `{}`", T::DECL.name, T::DECL.plugin.id)).with_code("forbidden")
            );
        }
        let new = NewTask::new(T::DECL, child.to_json()?, self.caller.clone());
        tasks.start(NewTask { key: Some(key.into()), ..new }).await
    }

    /// Waits for the end of a child, and reads what it returned.
    ///
    /// # Errors
    ///
    /// `unknown_task` if it is no child of this task; the child's own error if it failed, and `cancelled` if it was cancelled.
    pub async fn join<T: DeserializeOwned>(&self, child: &TaskId) -> Result<T> {
        let ended = self.run.join(child).await?;
        match (ended.state, ended.problem) {
            (TaskState::Succeeded, _) => Ok(serde_json::from_value(ended.result)?),
            (TaskState::Cancelled, _) => Err(Error::new(format!("the task {child} was cancelled")).with_code("cancelled")),
            (_, Some(problem)) => Err(Error::new(problem.message).with_code(problem.code)),
            (_, None) => Err(Error::new(format!("the task {child} failed"))),
        }
    }

    /// Tells the agent something in the conversation that this task belongs to. With `trigger` it answers; without, it only knows.
    ///
    /// # Errors
    ///
    /// `no_session` if the task belongs to no conversation.
    pub async fn notify_agent(&self, text: impl AsRef<str>, trigger: bool) -> Result<()> {
        self.run.notify_agent(text.as_ref(), trigger).await
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json)
        .map_err(|error| Error::new(format!("what was kept for the task cannot be read: {error}")).with_code("wrong_type"))
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(self.id()).finish()
    }
}

static TASKS: CapabilityDecl = CapabilityDecl {
    name: "tasks",
    summary: "starts its own tasks in the background, and tells the agent of them",
    scope: None,
    provided: |ports| ports.has::<dyn TasksPort>(),
};

/// What a tool borrows that starts a task.
pub const TASKS_LENT: LentDecl = LentDecl { capability: Some(&TASKS), kind: LentKind::Capability };

/// Returns what keeps tasks, as far as the policy lets the plugin of a call use it.
pub(crate) fn port(call: &Call<'_>) -> Result<Arc<dyn TasksPort>> {
    call.port::<dyn TasksPort>(&TASKS, |gated| Arc::new(gated))
}

impl<P: Plugin> Lend<P> for Tasks {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&TASKS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = port(call)?;
        Ok(Loan::Handle(Self::new(port, call.plugin.id().clone(), call.caller.clone())))
    }
}

impl<P: Plugin> Lend<P> for Task {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&TASKS);
    const KIND: LentKind = LentKind::Task;

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        match call.input {
            Input::Task { run, .. } => {
                Ok(Loan::Handle(Self::new(Arc::clone(run), call.plugin.id().clone(), call.caller.clone())))
            }
            // The registry refuses a program in which a function takes it that is no task.
            _ => Err(Error::new("only a task has itself")),
        }
    }
}
