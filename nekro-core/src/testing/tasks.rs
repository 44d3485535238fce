//! Fakes for background tasks: one that keeps what is started, and one run of a task that a test directs.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    call::BoxFuture,
    capability::{NewTask, TaskRun, TasksPort},
    error::{Error, Result},
    ids::{PluginId, TaskId},
    task::{TaskRecord, TaskState},
};

/// Keeps the tasks that are started, and runs none of them: [`Host::run_task`](super::Host::run_task) does.
#[derive(Debug, Default)]
pub struct FakeTasks(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    // With the key of each.
    tasks: Vec<(TaskRecord, Option<String>)>,
    notices: Vec<(TaskId, String, Value)>,
}

impl FakeTasks {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was started, in order.
    pub fn started(&self) -> Vec<TaskRecord> {
        self.lock().tasks.iter().map(|(task, _)| task.clone()).collect()
    }

    /// Returns the notices that tasks were given, in order: the task, the name and the value of each.
    pub fn notices(&self) -> Vec<(TaskId, String, Value)> {
        self.lock().notices.clone()
    }

    fn with<T>(&self, task: &TaskId, of: &PluginId, then: impl FnOnce(&mut TaskRecord) -> T) -> Result<T> {
        let mut kept = self.lock();
        let found = kept.tasks.iter_mut().find(|(record, _)| record.id == *task && record.plugin == *of);
        found.map(|(record, _)| then(record)).ok_or_else(|| unknown(task))
    }
}

fn unknown(task: &TaskId) -> Error {
    Error::new(format!("there is no task `{task}`")).with_code("unknown_task")
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl TasksPort for FakeTasks {
    fn start(&self, new: NewTask) -> BoxFuture<'_, Result<TaskId>> {
        let mut kept = self.lock();
        let plugin = PluginId::from(new.decl.plugin.id);
        let same = |(task, key): &&(TaskRecord, Option<String>)| new.key.is_some() && *key == new.key && task.plugin == plugin;
        if let Some((task, _)) = kept.tasks.iter().find(same) {
            let id = task.id.clone();
            return ready(Ok(id));
        }
        let id = TaskId::from(format!("t{}", kept.tasks.len() + 1));
        let mut task = TaskRecord::new(id.clone(), plugin, new.decl.name, Timestamp::UNIX_EPOCH);
        task.arguments = serde_json::from_str(&new.arguments).unwrap_or_default();
        task.session = new.caller.session;
        task.due = new.due.unwrap_or(task.created);
        kept.tasks.push((task, new.key));
        ready(Ok(id))
    }

    fn notify<'a>(&'a self, of: &'a PluginId, task: &'a TaskId, name: &'a str, json: String) -> BoxFuture<'a, Result<bool>> {
        let done = self.with(task, of, |_| ()).map(|()| {
            let mut kept = self.lock();
            let first = !kept.notices.iter().any(|(to, called, _)| to == task && called == name);
            if first {
                kept.notices.push((task.clone(), name.to_owned(), serde_json::from_str(&json).unwrap_or_default()));
            }
            first
        });
        ready(done)
    }

    fn cancel<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<bool>> {
        ready(self.with(task, of, |task| {
            let open = !task.state.is_terminal();
            if open {
                task.state = TaskState::Cancelled;
            }
            open
        }))
    }

    fn get<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskRecord>>> {
        ready(Ok(self.with(task, of, |task| task.clone()).ok()))
    }

    fn list<'a>(&'a self, of: &'a PluginId, state: Option<TaskState>, limit: usize) -> BoxFuture<'a, Result<Vec<TaskRecord>>> {
        let fits = |task: &TaskRecord| task.plugin == *of && state.is_none_or(|state| task.state == state);
        ready(Ok(self.started().into_iter().rev().filter(fits).take(limit).collect()))
    }
}

/// One run of a task, as a test directs it.
///
/// What the task waits for is written down before; whatever was not, never comes, and the wait ends by its time-out, at once.
pub struct FakeRun {
    id: TaskId,
    attempt: u32,
    kept: Mutex<Run>,
}

#[derive(Default)]
struct Run {
    notices: BTreeMap<String, String>,
    results: BTreeMap<String, Value>,
    checkpoint: Option<String>,
    progress: Vec<(u8, String)>,
    children: Vec<String>,
    told: Vec<(String, bool)>,
}

impl Default for FakeRun {
    fn default() -> Self {
        Self { id: TaskId::from("t1"), attempt: 1, kept: Mutex::default() }
    }
}

impl FakeRun {
    /// Makes a first run.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down a notice.
    #[must_use]
    pub fn notice(self, name: &str, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).expect("a test gives what has a JSON form");
        self.lock().notices.insert(name.to_owned(), json);
        self
    }

    /// Writes down what a child returns, by its key.
    #[must_use]
    pub fn child(self, key: &str, result: Value) -> Self {
        self.lock().results.insert(key.to_owned(), result);
        self
    }

    /// Makes it a further run, which finds this checkpoint.
    #[must_use]
    pub fn resumed(mut self, checkpoint: &impl Serialize) -> Self {
        let json = serde_json::to_string(checkpoint).expect("a test gives what has a JSON form");
        self.lock().checkpoint = Some(json);
        self.attempt += 1;
        self
    }

    /// Returns how far it has told it came, in order.
    pub fn told_progress(&self) -> Vec<(u8, String)> {
        self.lock().progress.clone()
    }

    /// Returns the keys of the children that it started, in order.
    pub fn children(&self) -> Vec<String> {
        self.lock().children.clone()
    }

    /// Returns what it told the agent, in order, and whether that was to answer.
    pub fn told_agent(&self) -> Vec<(String, bool)> {
        self.lock().told.clone()
    }

    /// Returns what it kept last.
    pub fn checkpoint_now(&self) -> Option<Value> {
        self.lock().checkpoint.as_ref().and_then(|json| serde_json::from_str(json).ok())
    }

    /// Returns it as a run.
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

impl fmt::Debug for FakeRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRun").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TaskRun for FakeRun {
    fn id(&self) -> &TaskId {
        &self.id
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn progress(&self, percent: u8, text: &str) {
        self.lock().progress.push((percent, text.to_owned()));
    }

    fn checkpoint(&self, json: String) -> BoxFuture<'_, Result<()>> {
        self.lock().checkpoint = Some(json);
        ready(Ok(()))
    }

    fn last_checkpoint(&self) -> Option<String> {
        self.lock().checkpoint.clone()
    }

    fn wait<'a>(&'a self, name: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Option<String>>> {
        let notice = self.lock().notices.get(name).cloned();
        Box::pin(async move {
            if notice.is_none() {
                tokio::time::sleep(timeout).await;
            }
            Ok(notice)
        })
    }

    fn start(&self, child: NewTask) -> BoxFuture<'_, Result<TaskId>> {
        let key = child.key.unwrap_or_default();
        let id = TaskId::from(key.as_str());
        self.lock().children.push(key);
        ready(Ok(id))
    }

    fn join<'a>(&'a self, child: &'a TaskId) -> BoxFuture<'a, Result<TaskRecord>> {
        let run = self.lock();
        let known = run.children.iter().any(|key| key == child.as_str());
        let mut record = TaskRecord::new(child.clone(), PluginId::from("test"), child.as_str(), Timestamp::UNIX_EPOCH);
        record.state = TaskState::Succeeded;
        record.result = run.results.get(child.as_str()).cloned().unwrap_or_default();
        ready(if known { Ok(record) } else { Err(unknown(child)) })
    }

    fn notify_agent<'a>(&'a self, text: &'a str, trigger: bool) -> BoxFuture<'a, Result<()>> {
        self.lock().told.push((text.to_owned(), trigger));
        ready(Ok(()))
    }
}
