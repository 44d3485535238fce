//! One run of a task, as its function sees it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{BoxFuture, Error, NewTask, PluginId, Result, SessionId, TaskId, TaskRecord, TaskRun};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    Audience, Desk,
    desk::{number, unknown},
};
use crate::storage::tasks::{self, Claimed, RunId};

/// Why a run is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody cancelled the task, or its parent has ended.
    Cancelled,
    /// The process is ending.
    Ending,
    /// Another process runs the task.
    Lost,
}

/// One run.
pub(super) struct Run {
    pub(super) run: RunId,
    id: TaskId,
    name: String,
    plugin: PluginId,
    session: Option<SessionId>,
    desk: Desk,
    audience: Arc<dyn Audience>,
    checkpoint: Mutex<Option<String>>,
    // What is not kept yet.
    progress: Mutex<Option<(u8, String)>>,
    has_progress: Notify,
    // How many waits are under way: a function may join several.
    waiting: watch::Sender<usize>,
    stop: watch::Sender<Option<Stop>>,
}

impl Run {
    pub(super) fn new(claimed: &Claimed, desk: Desk, audience: Arc<dyn Audience>) -> Self {
        Self {
            run: claimed.run,
            id: tasks::id(claimed.run.number),
            name: format!("{}.{}", claimed.plugin, claimed.name),
            plugin: PluginId::from(claimed.plugin.as_str()),
            session: claimed.caller.session.clone(),
            desk,
            audience,
            checkpoint: Mutex::new(claimed.checkpoint.clone()),
            progress: Mutex::default(),
            has_progress: Notify::new(),
            waiting: watch::Sender::new(0),
            stop: watch::Sender::new(None),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether it waits, and others may run in its place.
    pub(super) fn is_waiting(&self) -> bool {
        *self.waiting.borrow() > 0
    }

    /// Gives the run up. The first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| {
            let is_first = stop.is_none();
            stop.get_or_insert(why);
            is_first
        });
    }

    /// Waits until it is given up.
    pub(super) async fn stopped(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        loop {
            if let Some(why) = *stop.borrow_and_update() {
                return why;
            }
            if stop.changed().await.is_err() {
                return Stop::Ending;
            }
        }
    }

    /// Waits until it has run for so long, without the time that it waited.
    pub(super) async fn time_is_over(&self, limit: Duration) {
        let mut waiting = self.waiting.subscribe();
        let mut left = limit;
        loop {
            let is_running = *waiting.borrow_and_update() == 0;
            let since = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(left), if is_running => return,
                changed = waiting.changed() => if changed.is_err() { return },
            }
            if is_running {
                left = left.saturating_sub(since.elapsed());
            }
        }
    }

    /// Keeps the progress as it comes, but not more often than is set.
    pub(super) async fn keep_progress(&self) {
        loop {
            self.has_progress.notified().await;
            self.flush().await;
            tokio::time::sleep(self.desk.settings.progress).await;
        }
    }

    /// Keeps what progress there is.
    pub(super) async fn flush(&self) {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((percent, text)) = progress else { return };
        let run = self.run;
        // Progress that is not kept is no harm: the next one is.
        if self.desk.ledger.write(move |db| tasks::progress(db, run, percent, &text)).await.is_ok() {
            self.desk.news.notify_waiters();
        }
    }

    /// Says that it waits, until what is returned is dropped.
    fn waits(&self) -> Waits<'_> {
        self.waiting.send_modify(|count| *count += 1);
        Waits(self)
    }

    fn gone(&self) -> Error {
        // Nobody hears it: the run is given up at its next step.
        self.stop(Stop::Lost);
        Error::new("this run of the task does not count any more").with_code("ending")
    }

    /// Begins to run again after a wait.
    async fn goes_on(&self) -> Result<()> {
        if *self.waiting.borrow() > 1 {
            // Another part of the function still waits.
            return Ok(());
        }
        let run = self.run;
        let counts = self.desk.ledger.write(move |db| tasks::waits(db, run, None)).await?;
        // There may be room for another one meanwhile, or no longer.
        self.desk.work.notify_one();
        if counts { Ok(()) } else { Err(self.gone()) }
    }

    async fn wait_for(&self, name: &str, timeout: Duration) -> Result<Option<String>> {
        let _waits = self.waits();
        let (run, until, called) = (self.run, self.desk.after(timeout), name.to_owned());
        let until = self.desk.ledger.write(move |db| tasks::begin_to_wait(db, run, &called, until)).await?;
        let until = until.ok_or_else(|| self.gone())?;
        self.desk.work.notify_one();
        let notice = loop {
            let news = self.desk.news.notified();
            let notice = self.desk.ledger.read(|db| tasks::notice(db, run.number, name)).await?;
            let left = Duration::try_from(until.duration_since(self.desk.now())).unwrap_or_default();
            if notice.is_some() || left.is_zero() {
                break notice;
            }
            self.desk.news_or(news, left).await;
        };
        self.goes_on().await?;
        Ok(notice)
    }

    async fn wait_for_child(&self, child: &TaskId) -> Result<TaskRecord> {
        let number = number(child)?;
        let _waits = self.waits();
        let (run, what) = (self.run, format!("the end of {child}"));
        if !self.desk.ledger.write(move |db| tasks::waits(db, run, Some(&what))).await? {
            return Err(self.gone());
        }
        self.desk.work.notify_one();
        let ended = loop {
            let news = self.desk.news.notified();
            let record = self.desk.ledger.read(|db| tasks::find(db, number)).await?;
            match record.filter(|record| record.parent.as_ref() == Some(&self.id)) {
                Some(record) if record.state.is_terminal() => break Ok(record),
                Some(_) => self.desk.news_or(news, self.desk.settings.poll).await,
                None => break Err(unknown(child)),
            }
        };
        self.goes_on().await?;
        ended
    }
}

struct Waits<'r>(&'r Run);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|count| *count -= 1);
    }
}

impl TaskRun for Run {
    fn id(&self) -> &TaskId {
        &self.id
    }

    fn attempt(&self) -> u32 {
        u32::try_from(self.run.epoch).unwrap_or(u32::MAX)
    }

    fn progress(&self, percent: u8, text: &str) {
        const MOST_CHARACTERS: usize = 200;
        let text: String = text.chars().take(MOST_CHARACTERS).collect();
        if let Some(session) = &self.session {
            self.audience.progress(session, &self.id, &self.name, percent, &text);
        }
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some((percent, text));
        self.has_progress.notify_one();
    }

    fn checkpoint(&self, json: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.desk.fits("a checkpoint", &json)?;
            let (run, kept) = (self.run, json.clone());
            if !self.desk.ledger.write(move |db| tasks::checkpoint(db, run, &kept)).await? {
                return Err(self.gone());
            }
            *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(json);
            Ok(())
        })
    }

    fn last_checkpoint(&self) -> Option<String> {
        self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wait<'a>(&'a self, name: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(self.wait_for(name, timeout))
    }

    fn start(&self, child: NewTask) -> BoxFuture<'_, Result<TaskId>> {
        Box::pin(self.desk.insert(child, Some(self.run)))
    }

    fn join<'a>(&'a self, child: &'a TaskId) -> BoxFuture<'a, Result<TaskRecord>> {
        Box::pin(self.wait_for_child(child))
    }

    fn notify_agent<'a>(&'a self, text: &'a str, trigger: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let session = self.session.as_ref().ok_or_else(|| {
                Error::new("the task belongs to no conversation")
                    .with_code("no_session")
                    .with_hint("start it from a call that belongs to one")
            })?;
            self.audience.tell(session, &self.plugin, text.to_owned(), trigger).await
        })
    }
}
