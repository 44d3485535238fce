//! Where tasks are written down: by plugins, by the command line, by any process.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    BoxFuture, Caller, ClockPort, Error, NewTask, PluginId, Result, TaskId, TaskRecord, TaskState, TasksPort, Timestamp,
};
use tokio::sync::Notify;

use super::TasksSettings;
use crate::storage::{
    Ledger, StorageError,
    tasks::{self, Inserted, Listing, NewTaskRow, RunId},
};

/// Writes tasks down. A handle; clones are the same desk.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn ClockPort>,
    pub(super) settings: Arc<TasksSettings>,
    /// There may be something to do.
    pub(super) work: Arc<Notify>,
    /// A task was told something, or has ended.
    pub(super) news: Arc<Notify>,
}

impl Desk {
    pub(crate) fn new(ledger: Ledger, clock: Arc<dyn ClockPort>, settings: TasksSettings) -> Self {
        Self { ledger, clock, settings: Arc::new(settings), work: Arc::default(), news: Arc::default() }
    }

    /// Returns what is rung when there may be something to do.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.work)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns how long a task is kept that has ended.
    #[cfg(feature = "mcp")]
    pub(crate) fn keeps(&self) -> Duration {
        self.settings.keep
    }

    pub(super) fn after(&self, duration: Duration) -> Timestamp {
        self.now().checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// Tells those who wait in this process that something was written.
    pub(super) fn has_written(&self) {
        self.work.notify_one();
        self.news.notify_waiters();
    }

    pub(super) fn fits(&self, what: &str, json: &str) -> Result<()> {
        let most = self.settings.bytes;
        if json.len() <= most {
            return Ok(());
        }
        Err(Error::new(format!("{what} of a task has {} bytes, and {most} are allowed (`tasks.bytes`)", json.len()))
            .with_code("too_large")
            .with_hint("keep it in a file or in the store, and give the task its name"))
    }

    /// Writes a task down, for a plugin or as a child.
    pub(super) async fn insert(&self, new: NewTask, parent: Option<RunId>) -> Result<TaskId> {
        self.fits("the arguments", &new.arguments)?;
        (new.decl.check)(&new.arguments)?;
        let now = self.now();
        let plugin = new.decl.plugin.id;
        let key = new.key.map(|key| parent.map_or_else(|| format!("={key}"), |parent| format!("{}/{key}", parent.number)));
        let row = NewTaskRow {
            plugin: plugin.to_owned(),
            name: new.decl.name.to_owned(),
            arguments: new.arguments,
            // The turn that starts it is over before it is.
            caller: Caller { turn: None, ..new.caller },
            parent,
            schedule: None,
            serial: None,
            key,
            due: new.due.unwrap_or(now),
            callback: new.decl.on_terminal.map(str::to_owned),
            tell: new.tell,
        };
        let most = self.settings.queue;
        let inserted = self.ledger.write(move |db| tasks::insert(db, &row, now, most)).await?;
        match inserted {
            Inserted::New(number) => {
                self.has_written();
                Ok(tasks::id(number))
            }
            Inserted::Known(number) => Ok(tasks::id(number)),
            Inserted::Full => Err(Error::new(format!(
                "{most} tasks of the plugin `{plugin}` have not ended, and no more are taken (`tasks.queue`)"
            ))
            .with_code("busy")
            .with_hint("wait until some have ended, or cancel them with `nekro tasks cancel`")
            .retryable()),
            Inserted::NoParent => Err(Error::new("the task that starts this one is ending").with_code("ending")),
        }
    }

    /// Cancels a task, of a plugin or of any.
    pub(crate) async fn cancel_of(&self, plugin: Option<String>, task: &TaskId) -> Result<bool> {
        let number = number(task)?;
        let now = self.now();
        let cancelled = self.ledger.write(move |db| tasks::cancel(db, plugin.as_deref(), number, now)).await?;
        let (was_open, _) = cancelled.ok_or_else(|| unknown(task))?;
        self.has_written();
        Ok(was_open)
    }

    /// Gives a task a notice, of a plugin or of any.
    pub(crate) async fn notify_of(&self, plugin: Option<String>, task: &TaskId, name: &str, json: String) -> Result<bool> {
        self.fits("a notice", &json)?;
        let number = number(task)?;
        let (name, now) = (name.to_owned(), self.now());
        let told = self.ledger.write(move |db| tasks::notify(db, plugin.as_deref(), number, (&name, &json), now)).await?;
        let was_first = told.ok_or_else(|| unknown(task))?;
        self.has_written();
        Ok(was_first)
    }

    /// Returns any task.
    pub(crate) async fn find(&self, task: &TaskId) -> Result<TaskRecord> {
        let number = number(task)?;
        self.ledger.read(|db| tasks::find(db, number)).await?.ok_or_else(|| unknown(task))
    }

    /// Lists tasks.
    pub(crate) async fn listing(&self, wanted: &Listing) -> Result<Vec<TaskRecord>> {
        Ok(self.ledger.read(|db| tasks::list(db, wanted)).await?)
    }

    /// Does the work of a task again that failed or was cancelled.
    pub(crate) async fn retry(&self, task: &TaskId) -> Result<TaskId> {
        let number = number(task)?;
        let now = self.now();
        match self.ledger.write(move |db| tasks::retry(db, number, now)).await?.ok_or_else(|| unknown(task))? {
            Ok(again) => {
                self.has_written();
                Ok(tasks::id(again))
            }
            Err(state) => {
                Err(Error::new(format!("the task {task} has not failed: it is {}", state.name())).with_code("not_failed"))
            }
        }
    }

    /// Waits for the next news of this process, or at most until it is looked for those of others.
    pub(super) async fn news_or(&self, news: tokio::sync::futures::Notified<'_>, most: Duration) {
        let _ = tokio::time::timeout(most.min(self.settings.poll), news).await;
    }

    /// Waits until nothing that belongs to a task runs, or could.
    pub(crate) async fn settled(&self, plugin: &str, task: &TaskId) -> Result<()> {
        let root = number(task)?;
        loop {
            let news = self.news.notified();
            let now = self.now();
            if !self.ledger.read(|db| tasks::is_busy(db, plugin, root, now)).await? {
                return Ok(());
            }
            self.news_or(news, self.settings.progress).await;
        }
    }

    /// Waits until a task has ended, and tells of each change.
    pub(crate) async fn follow(&self, task: &TaskId, mut seen: impl FnMut(&TaskRecord)) -> Result<TaskRecord> {
        let mut last = None;
        loop {
            let news = self.news.notified();
            let record = self.find(task).await?;
            if last.as_ref() != Some(&record) {
                seen(&record);
            }
            if record.state.is_terminal() {
                return Ok(record);
            }
            last = Some(record);
            self.news_or(news, self.settings.progress).await;
        }
    }
}

/// Returns the number of a task.
pub(super) fn number(task: &TaskId) -> Result<i64> {
    tasks::number(task).ok_or_else(|| unknown(task))
}

pub(super) fn unknown(task: &TaskId) -> Error {
    Error::new(format!("there is no task `{task}`"))
        .with_code("unknown_task")
        .with_hint("`nekro tasks list` shows those that are kept")
}

impl TasksPort for Desk {
    fn start(&self, new: NewTask) -> BoxFuture<'_, Result<TaskId>> {
        Box::pin(self.insert(new, None))
    }

    fn notify<'a>(&'a self, of: &'a PluginId, task: &'a TaskId, name: &'a str, json: String) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.notify_of(Some(of.as_str().to_owned()), task, name, json))
    }

    fn cancel<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.cancel_of(Some(of.as_str().to_owned()), task))
    }

    fn get<'a>(&'a self, of: &'a PluginId, task: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskRecord>>> {
        Box::pin(async move {
            let Some(number) = tasks::number(task) else { return Ok(None) };
            let found: Result<_, StorageError> = self.ledger.read(|db| tasks::find_of(db, Some(of.as_str()), number)).await;
            Ok(found?)
        })
    }

    fn list<'a>(&'a self, of: &'a PluginId, state: Option<TaskState>, limit: usize) -> BoxFuture<'a, Result<Vec<TaskRecord>>> {
        Box::pin(async move {
            let wanted = Listing { plugin: Some(of.as_str().to_owned()), state, limit, ..Listing::default() };
            self.listing(&wanted).await
        })
    }
}
