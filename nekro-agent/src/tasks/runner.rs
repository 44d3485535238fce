//! Running tasks: taking what is due, carrying it out, and writing down how it ended.
//!
//! Nothing is remembered here but the runs that are under way. What is lost between two writes is done again by whoever finds it; what is
//! written twice counts once, for each write names its run.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nekro_core::{
    Action, Error, Message, MessagesPort, PluginId, RandomPort, ScheduleRecord, SessionId, TaskDecl, TaskId, TaskProblem,
    TaskRecord, TaskRun, TaskState, WhenDisabled,
    event::facts::{ScheduleCancelled, ScheduleCreated, ScheduleFired, TaskEnded},
    kernel::{Kernel, Ran, Stage, TaskEntry},
};
use rusqlite::Connection;
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::{
    Audience, Desk,
    run::{Run, Stop},
};
use crate::{
    schedules::{ACTION, Book, Change, Fired},
    storage::{
        StorageError,
        tasks::{self, BESIDE, Claimed, Ending, Lease, Room, RunId},
    },
};

/// How long it waits before it writes again what could not be written.
const AGAIN: Duration = Duration::from_secs(1);

/// What would go wrong the next time, too: the arguments and the conversation are the same.
const IN_VAIN: [&str; 3] = ["invalid_arguments", "no_session", "out_of_scope"];

/// How many ends are told at once.
const MOST_TOLD: usize = 16;

/// How many old tasks are forgotten at once, and how often it is looked for them at most.
const MOST_FORGOTTEN: usize = 1_000;
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);

/// Runs tasks, until it is stopped.
pub(crate) struct Runner {
    inner: Arc<Inner>,
    loops: Vec<JoinHandle<()>>,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything. No other process does so on the same data, and what an earlier one left is taken over at once.
    Everything,
    /// Everything, beside other processes.
    #[cfg(test)]
    Beside,
    /// A task, and what belongs to it.
    Only(i64),
    /// The tasks of a conversation, beside other processes.
    #[cfg_attr(not(any(feature = "mcp", test)), expect(dead_code, reason = "`nekro mcp` alone runs those"))]
    Session(SessionId),
}

struct Inner {
    kernel: Kernel,
    desk: Desk,
    book: Book,
    audience: Arc<dyn Audience>,
    owner: String,
    scope: Scope,
    runs: Mutex<HashMap<RunId, Arc<Run>>>,
    // So that each kind is the first one in its turn.
    round: AtomicUsize,
    ending: tokio::sync::watch::Sender<bool>,
}

impl Runner {
    /// Begins to run tasks.
    ///
    /// # Errors
    ///
    /// If the kernel has no chance, or the tasks of an earlier process cannot be taken over.
    pub(crate) async fn start(
        kernel: Kernel,
        desk: Desk,
        book: Book,
        audience: Arc<dyn Audience>,
        scope: Scope,
    ) -> Result<Self, Error> {
        let mut bytes = [0; 12];
        kernel.ports().get::<dyn RandomPort>()?.fill(&mut bytes);
        let owner: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let owner = if matches!(scope, Scope::Session(_)) { format!("{BESIDE}{owner}") } else { owner };
        let inner = Arc::new(Inner {
            kernel,
            desk,
            book,
            audience,
            owner,
            scope,
            runs: Mutex::default(),
            round: AtomicUsize::new(0),
            ending: tokio::sync::watch::Sender::new(false),
        });
        if inner.scope == Scope::Everything {
            // Whoever held a lease has ended, for nobody else may be at work, but for those who say that they are beside.
            inner.take_back(jiff::Timestamp::MAX).await?;
        }
        if inner.is_whole() {
            inner.declare().await?;
        }
        let loops = vec![
            tokio::spawn(Arc::clone(&inner).work()),
            tokio::spawn(Arc::clone(&inner).live()),
            tokio::spawn(Arc::clone(&inner).forget()),
        ];
        Ok(Self { inner, loops })
    }

    /// Stops: what runs is given up where it waits, and goes on with the next process.
    pub(crate) async fn stop(self) {
        self.inner.ending.send_replace(true);
        for work in self.loops {
            // It does not panic; if it did, there is nothing left to stop.
            let _ = work.await;
        }
        self.inner.lock().values().for_each(|run| run.stop(Stop::Ending));
        while !self.inner.lock().is_empty() {
            let news = self.inner.desk.news.notified();
            if self.inner.lock().is_empty() {
                break;
            }
            news.await;
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether it runs what there is, and its schedules.
    fn is_whole(&self) -> bool {
        !matches!(self.scope, Scope::Only(_) | Scope::Session(_))
    }

    fn lease(&self) -> Lease {
        Lease { owner: self.owner.clone(), until: self.desk.after(self.desk.settings.lease) }
    }

    /// Waits for the end of the process, or so long. Returns whether it goes on.
    async fn goes_on_after(&self, wait: impl Future<Output = ()>) -> bool {
        let mut ending = self.ending.subscribe();
        tokio::select! {
            biased;
            _ = ending.wait_for(|ending| *ending) => false,
            () = wait => true,
        }
    }

    /// Does what there is to do, again and again.
    async fn work(self: Arc<Self>) {
        let mut complained = false;
        loop {
            let wait = match self.do_what_there_is().await {
                Ok(wait) => {
                    complained = false;
                    wait
                }
                Err(problem) => {
                    if !complained {
                        tracing::error!("tasks cannot be run at the moment: {problem}");
                    }
                    complained = true;
                    AGAIN
                }
            };
            let woken = async {
                let _ = tokio::time::timeout(wait, self.desk.work.notified()).await;
            };
            if !self.goes_on_after(woken).await {
                return;
            }
        }
    }

    /// Says that this process lives, and gives up what it has lost.
    async fn live(self: Arc<Self>) {
        while self.goes_on_after(tokio::time::sleep(self.desk.settings.lease / 3)).await {
            let runs: Vec<_> = self.lock().keys().copied().collect();
            if runs.is_empty() {
                continue;
            }
            let lease = self.lease();
            let extended = self.desk.ledger.write(move |db| Ok((tasks::extend(db, &runs, &lease)?, runs))).await;
            let (living, asked) = match extended {
                Ok(extended) => extended,
                Err(problem) => {
                    tracing::warn!("the leases of tasks cannot be extended: {problem}");
                    continue;
                }
            };
            for run in asked {
                match living.iter().find(|(living, _)| *living == run) {
                    Some((_, true)) => self.stop_run(run, Stop::Cancelled),
                    Some((_, false)) => {}
                    None => self.stop_run(run, Stop::Lost),
                }
            }
        }
    }

    fn stop_run(&self, run: RunId, why: Stop) {
        let found = self.lock().get(&run).cloned();
        if let Some(found) = found {
            found.stop(why);
        }
    }

    /// Forgets what has ended long ago.
    async fn forget(self: Arc<Self>) {
        loop {
            let keep = jiff::SignedDuration::try_from(self.desk.settings.keep).unwrap_or(jiff::SignedDuration::MAX);
            let before = self.desk.now().checked_sub(keep).unwrap_or(jiff::Timestamp::MIN);
            let forgotten = self.desk.ledger.write(move |db| tasks::forget(db, before, MOST_FORGOTTEN)).await;
            let wait = if forgotten.is_ok_and(|count| count == MOST_FORGOTTEN) {
                AGAIN
            } else {
                FORGET_EVERY.max(self.desk.settings.keep / 100)
            };
            if !self.goes_on_after(tokio::time::sleep(wait)).await {
                return;
            }
        }
    }

    /// Looks once at what there is to do, and does it. Returns how long there is nothing more.
    async fn do_what_there_is(self: &Arc<Self>) -> Result<Duration, StorageError> {
        let now = self.desk.now();
        let work = self.desk.ledger.read(|db| tasks::look(db, now)).await?;
        if work.expired {
            self.take_back(now).await?;
        }
        if work.unwanted {
            self.end_unwanted().await?;
        }
        if work.next.is_some() {
            self.cancel_of_the_disabled().await?;
        }
        if work.due || work.expired {
            self.claim().await?;
        }
        // In one conversation, an agent at work tells it.
        if work.untold && !matches!(self.scope, Scope::Session(_)) {
            self.tell().await?;
        }
        let scheduled = self.fire().await?;
        let next = work.next.filter(|_| !work.due).into_iter().chain(scheduled).min();
        let until = next.map(|next| {
            let wait = u64::try_from(next.saturating_sub(self.desk.now().as_microsecond())).unwrap_or(0);
            Duration::from_micros(wait)
        });
        Ok(until.unwrap_or(Duration::MAX).min(self.desk.settings.poll))
    }

    /// Writes down what the linked plugins declare.
    async fn declare(&self) -> Result<(), Error> {
        let declared = self.kernel.registry().schedules().iter().filter_map(|decl| {
            // One that cannot be read is refused when the program is built.
            Some((decl.task.plugin.id.to_owned(), decl.schedule().ok()?))
        });
        self.book.declare(declared.collect()).await
    }

    /// Runs the schedules that are due, and returns when the next one is.
    async fn fire(&self) -> Result<Option<i64>, StorageError> {
        if !self.is_whole() {
            return Ok(None);
        }
        for change in self.book.changes() {
            match change {
                Change::Created(ScheduleRecord { plugin, schedule, session, .. }) => {
                    self.kernel.emit(ScheduleCreated { session, schedule: schedule.name, plugin: Some(plugin) });
                }
                Change::Removed(ScheduleRecord { plugin, schedule, session, .. }) => {
                    let reason = "it was removed".to_owned();
                    self.kernel.emit(ScheduleCancelled { session, schedule: schedule.name, plugin: Some(plugin), reason });
                }
            }
        }
        let now = self.desk.now();
        let (mut due, later) = self.book.look(now).await?;
        if !due.is_empty() {
            // Those of a plugin that does not run rest with it.
            let status = self.kernel.status();
            due.retain(|plugin| status.iter().any(|one| one.id == plugin && one.stage == Stage::Running));
        }
        if due.is_empty() {
            return Ok(later);
        }
        for Fired { record, runs } in self.book.fire(due, now).await? {
            for _ in 0..runs {
                let (session, plugin) = (record.session.clone(), Some(record.plugin.clone()));
                self.kernel.emit(ScheduleFired { session, schedule: record.schedule.name.clone(), plugin });
            }
        }
        self.desk.work.notify_one();
        Ok(later)
    }

    /// Tells of a schedule that rests now, for it failed too often.
    async fn tell_of_pause(&self, run: &TaskRecord) {
        let Some(name) = &run.schedule else { return };
        let all = self.book.all(Some(run.plugin.as_str())).await.unwrap_or_default();
        let Some(record) = all.into_iter().find(|record| record.schedule.name == *name) else { return };
        let Some(reason) = record.paused.clone().filter(|_| record.failures > 0) else { return };
        let full = record.full_name();
        tracing::warn!(plugin = %record.plugin, schedule = %name, "the schedule rests: {reason}");
        if let Some(session) = &record.session {
            let text = format!("The schedule {full} rests, for {reason}. `nekro schedules resume {full}` lets it go on.");
            if let Err(problem) = self.audience.tell(session, &record.plugin, text, false).await {
                tracing::warn!("nobody could be told: {problem}");
            }
        }
        let (session, plugin) = (record.session, Some(record.plugin));
        self.kernel.emit(ScheduleCancelled { session, schedule: record.schedule.name, plugin, reason });
    }

    async fn take_back(&self, before: jiff::Timestamp) -> Result<(), StorageError> {
        let (most, now) = (self.desk.settings.most_lost, self.desk.now());
        let ended = self.desk.ledger.write(move |db| tasks::take_back(db, before, most, now)).await?;
        self.tell_of(ended);
        Ok(())
    }

    async fn end_unwanted(&self) -> Result<(), StorageError> {
        let now = self.desk.now();
        let (ended, running) = self.desk.ledger.write(move |db| tasks::end_unwanted(db, now)).await?;
        self.tell_of(ended);
        let runs: Vec<_> = self.lock().keys().copied().filter(|run| running.contains(&run.number)).collect();
        runs.into_iter().for_each(|run| self.stop_run(run, Stop::Cancelled));
        Ok(())
    }

    /// Cancels the tasks of disabled plugins that say so.
    async fn cancel_of_the_disabled(&self) -> Result<(), StorageError> {
        let status = self.kernel.status();
        let is_disabled = |decl: &TaskDecl| {
            status.binary_search_by(|one| one.id.cmp(decl.plugin.id)).is_ok_and(|at| status[at].stage == Stage::Disabled)
        };
        let cancelled = |decl: &&TaskDecl| decl.when_disabled == WhenDisabled::Cancel && is_disabled(decl);
        let kinds: Vec<_> = self.kernel.registry().tasks().iter().map(|task| task.decl).filter(cancelled).collect();
        if kinds.is_empty() {
            return Ok(());
        }
        let cancel = move |db: &Connection| {
            kinds.iter().try_fold(false, |any, kind| Ok(tasks::cancel_kind(db, kind.plugin.id, kind.name)? || any))
        };
        if self.desk.ledger.write(cancel).await? { self.end_unwanted().await } else { Ok(()) }
    }

    /// Returns what may be run now.
    fn room(&self) -> Room {
        let settings = &self.desk.settings;
        let status = self.kernel.status();
        let runs = |task: &&TaskEntry| {
            status.binary_search_by(|one| one.id.cmp(task.decl.plugin.id)).is_ok_and(|at| status[at].stage == Stage::Running)
        };
        let tasks = self.kernel.registry().tasks().iter().filter(runs);
        let running = status.iter().filter(|one| one.stage == Stage::Running);
        let actions = running.map(|one| (one.id.to_owned(), ACTION.to_owned(), settings.per_kind));
        let mut kinds: Vec<_> = tasks
            .map(|task| {
                let most = task.decl.concurrency.unwrap_or(settings.per_kind);
                (task.decl.plugin.id.to_owned(), task.decl.name.to_owned(), most)
            })
            .chain(actions)
            .collect();
        if !kinds.is_empty() {
            let first = self.round.fetch_add(1, Ordering::Relaxed) % kinds.len();
            kinds.rotate_left(first);
        }
        let (root, session) = match &self.scope {
            Scope::Only(root) => (Some(*root), None),
            Scope::Session(session) => (None, Some(session.clone())),
            _ => (None, None),
        };
        let waiting = self.lock().values().filter(|run| run.is_waiting()).count();
        let running = self.lock().len() - waiting;
        Room { all: settings.concurrency.saturating_sub(running), of_plugin: settings.per_plugin, kinds, root, session }
    }

    async fn claim(self: &Arc<Self>) -> Result<(), StorageError> {
        let room = self.room();
        if room.all == 0 || room.kinds.is_empty() {
            return Ok(());
        }
        let (lease, now) = (self.lease(), self.desk.now());
        let claimed = self.desk.ledger.write(move |db| tasks::claim(db, &room, &lease, now)).await?;
        for claimed in claimed {
            let run = Arc::new(Run::new(&claimed, self.desk.clone(), Arc::clone(&self.audience)));
            self.lock().insert(claimed.run, Arc::clone(&run));
            let under_way = UnderWay { inner: Arc::clone(self), run: claimed.run };
            let span = tracing::info_span!("task", task = %tasks::id(claimed.run.number), plugin = %claimed.plugin, session = tracing::field::Empty);
            if let Some(session) = &claimed.caller.session {
                span.record("session", tracing::field::display(session));
            }
            let inner = Arc::clone(self);
            tokio::spawn(
                async move {
                    inner.carry_out(&claimed, &run).await;
                    drop(under_way);
                }
                .instrument(span),
            );
        }
        Ok(())
    }

    /// Runs a task once, and writes down what came of it.
    async fn carry_out(&self, claimed: &Claimed, run: &Arc<Run>) {
        if claimed.name == ACTION {
            let ending = match self.act(claimed).await {
                Ok(()) => Ending { state: TaskState::Succeeded, result: Some("null".to_owned()), problem: None },
                Err(error) => Ending { state: TaskState::Failed, result: None, problem: Some(TaskProblem::from(&error)) },
            };
            return self.finish(run, ending).await;
        }
        let Some(entry) = self.kernel.registry().task(run.name()) else {
            // The program was built without it since it was claimed, which cannot be.
            return self.keep(run, |db, run, now| tasks::release(db, run, now).map(|_| Vec::new())).await;
        };
        let limit = entry.decl.deadline.unwrap_or(self.desk.settings.run_time);
        let as_run = Arc::clone(run) as Arc<dyn TaskRun>;
        let ran = tokio::select! {
            biased;
            why = run.stopped() => Err(why),
            ran = self.kernel.run_task(entry, &claimed.arguments, &claimed.caller, &as_run) => Ok(ran),
            () = run.time_is_over(limit) => Ok(Ran::Failed(
                Error::new(format!("`{}` ran longer than its {limit:?}", entry.name))
                    .with_code("deadline")
                    .with_hint("the limit is the task's own `deadline`, or `tasks.run_time`"),
            )),
            () = run.keep_progress() => Err(Stop::Ending),
        };
        run.flush().await;
        match ran {
            Ok(Ran::Returned(reply)) => match self.desk.fits("the result", &reply.json) {
                Ok(()) => {
                    let ending = Ending { state: TaskState::Succeeded, result: Some(reply.json), problem: None };
                    self.finish(run, ending).await;
                }
                Err(error) => self.fail(claimed, run, entry, &error).await,
            },
            Ok(Ran::Failed(error)) => self.fail(claimed, run, entry, &error).await,
            // It goes on when its plugin does, or is cancelled with those that wait.
            Ok(_) | Err(Stop::Ending) => self.keep(run, |db, run, now| tasks::release(db, run, now).map(|_| Vec::new())).await,
            Err(Stop::Cancelled) => self.finish(run, tasks::cancelled()).await,
            Err(Stop::Lost) => tracing::warn!("another process has taken the task over"),
        }
    }

    /// Does what a schedule says that is the host's own to do.
    async fn act(&self, claimed: &Claimed) -> Result<(), Error> {
        let action: Action = serde_json::from_str(&claimed.arguments)?;
        let plugin = PluginId::from(claimed.plugin.as_str());
        let session = || {
            let session = claimed.caller.session.as_ref();
            session.ok_or_else(|| Error::new("the schedule belongs to no conversation").with_code("no_session"))
        };
        match action {
            Action::Message { text } => {
                let messages = self.kernel.ports().get::<dyn MessagesPort>()?;
                messages.send(session()?, &plugin, Message::new(text)).await.map(drop)
            }
            Action::Prompt { text } => self.audience.tell(session()?, &plugin, text, true).await,
            Action::Event { event, fields } => {
                let unknown = || Error::new(format!("there is no event `{event}`")).with_code("unknown_event");
                let entry = self.kernel.registry().event(&event).ok_or_else(unknown)?;
                (entry.decl.trigger)(&self.kernel, &fields.to_string(), &claimed.caller).await.map(drop)
            }
            Action::Task { .. } => Err(Error::new("a task is run as one")),
        }
    }

    async fn finish(&self, run: &Arc<Run>, ending: Ending) {
        self.keep(run, move |db, run, now| tasks::finish(db, run, &ending, now)).await;
    }

    async fn fail(&self, claimed: &Claimed, run: &Arc<Run>, entry: &TaskEntry, error: &Error) {
        let problem = TaskProblem::from(error);
        if claimed.failures >= entry.decl.retries || IN_VAIN.contains(&error.code()) {
            tracing::warn!(code = error.code(), "the task has failed: {}", error.message());
            return self.finish(run, Ending { state: TaskState::Failed, result: None, problem: Some(problem) }).await;
        }
        let doubled = entry.decl.backoff.saturating_mul(1 << claimed.failures.min(20));
        let backoff = doubled.min(self.desk.settings.most_backoff);
        tracing::info!(code = error.code(), "the task has failed and is tried again in {backoff:?}: {}", error.message());
        let due = self.desk.after(backoff);
        self.keep(run, move |db, run, _| tasks::try_later(db, run, &problem, due).map(|_| Vec::new())).await;
    }

    /// Writes down what became of a run, and tries until it can be. Whoever takes the task over meanwhile makes it count for nothing.
    async fn keep(
        &self,
        run: &Arc<Run>,
        work: impl Fn(&Connection, RunId, jiff::Timestamp) -> Result<Vec<TaskRecord>, StorageError> + Send + Sync + 'static,
    ) {
        let (id, work) = (run.run, Arc::new(work));
        loop {
            let (work, now) = (Arc::clone(&work), self.desk.now());
            match self.desk.ledger.write(move |db| work(db, id, now)).await {
                Ok(ended) => {
                    for run in ended.iter().filter(|run| run.state == TaskState::Failed) {
                        self.tell_of_pause(run).await;
                    }
                    return self.tell_of(ended);
                }
                Err(StorageError::Closed) => return,
                // The next process finds it with a lease that has run out.
                Err(_) if *self.ending.borrow() => return,
                Err(problem) => tracing::warn!("what became of the task cannot be written: {problem}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Tells plugins and those who wait that tasks have ended.
    fn tell_of(&self, ended: Vec<TaskRecord>) {
        if ended.is_empty() {
            return;
        }
        for record in ended {
            self.kernel.emit(TaskEnded {
                session: record.session,
                task: record.id,
                plugin: record.plugin,
                name: record.name,
                state: record.state,
                problem: record.problem.map(|problem| problem.message),
            });
        }
        self.desk.has_written();
    }

    /// Tells the agent of ends that it waits for.
    async fn tell(&self) -> Result<(), StorageError> {
        for record in self.desk.ledger.read(|db| tasks::untold(db, MOST_TOLD)).await? {
            let Some(number) = tasks::number(&record.id) else { continue };
            if let Some(session) = &record.session
                && let Err(problem) = self.audience.tell(session, &record.plugin, end_of(&record), true).await
            {
                tracing::warn!(task = %record.id, "the end of the task cannot be told: {problem}");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            self.desk.ledger.write(move |db| tasks::told(db, number)).await?;
        }
        self.desk.work.notify_one();
        Ok(())
    }
}

/// A run that is under way, also if it panics: then its lease runs out.
struct UnderWay {
    inner: Arc<Inner>,
    run: RunId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.inner.lock().remove(&self.run);
        self.inner.desk.has_written();
    }
}

/// Says to the agent how a task ended.
fn end_of(record: &TaskRecord) -> String {
    const MOST_CHARACTERS: usize = 4_000;
    let (name, id): (_, &TaskId) = (record.full_name(), &record.id);
    let text = match (record.state, &record.problem) {
        (TaskState::Succeeded, _) => format!("The task {id} ({name}) has ended: {}", record.result),
        (TaskState::Failed, Some(problem)) => format!("The task {id} ({name}) has failed: {}", problem.message),
        (state, _) => format!("The task {id} ({name}) was not finished: it is {}", state.name()),
    };
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
