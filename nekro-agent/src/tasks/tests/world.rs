//! A kernel with the tests' plugin, a desk, and people who remember what they were told.

use std::sync::{Arc, Mutex, PoisonError};

use nekro_core::{
    BoxFuture, Caller, ClockPort, MemoryStore, MessagesPort, PluginId, Ports, RandomPort, Result, SchedulesPort, SessionId,
    SessionsPort, Store, StorePort, TaskArguments, TaskEnd, TaskId, TaskRecord, Tasks, TasksPort, Timestamp,
    kernel::{Kernel, ObserverPort},
    testing::{FakeSessions, Outbox, Recorder, SeededRandom},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    schedules::{Book, SchedulesSettings},
    storage::Ledger,
    tasks::{Audience, Desk, Runner, Scope, TasksSettings},
};

/// The time of day goes as tokio's time does.
pub(super) struct PausedClock {
    since: Instant,
    base: Timestamp,
}

impl PausedClock {
    /// Makes one that shows this now.
    pub(super) fn showing(base: Timestamp) -> Self {
        Self { since: Instant::now(), base }
    }
}

impl Default for PausedClock {
    fn default() -> Self {
        const START: i64 = 1_893_499_200;
        Self::showing(Timestamp::from_second(START).expect("a moment"))
    }
}

impl ClockPort for PausedClock {
    fn now(&self) -> Timestamp {
        self.base.checked_add(self.since.elapsed()).expect("a moment")
    }
}

/// A clock that stands still.
pub(super) struct Stopped(pub(super) Timestamp);

impl ClockPort for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// What the agent was told, and what people saw.
#[derive(Default)]
pub(super) struct People {
    told: Mutex<Vec<(String, bool)>>,
    seen: Mutex<Vec<String>>,
}

impl People {
    pub(super) fn told(&self) -> Vec<(String, bool)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Audience for People {
    fn tell<'a>(&'a self, _: &'a SessionId, _: &'a PluginId, text: String, answer: bool) -> BoxFuture<'a, Result<()>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((text, answer));
        Box::pin(std::future::ready(Ok(())))
    }

    fn progress(&self, _: &SessionId, task: &TaskId, name: &str, percent: u8, text: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{task} {name} {percent} {text}"));
    }
}

/// An agent that runs tasks.
pub(super) struct World {
    pub(super) kernel: Kernel,
    pub(super) desk: Desk,
    pub(crate) book: Book,
    pub(crate) outbox: Arc<Outbox>,
    pub(super) people: Arc<People>,
    pub(super) facts: Arc<Recorder>,
    pub(super) store: Store,
    runner: Option<Runner>,
}

/// What is kept while agents come and go.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) ledger: Ledger,
    pub(super) values: Arc<dyn StorePort>,
    pub(super) clock: Arc<dyn ClockPort>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { ledger: Ledger::memory(), values: Arc::new(MemoryStore::default()), clock: Arc::new(PausedClock::default()) }
    }
}

/// Starts an agent on nothing.
pub(super) async fn world() -> World {
    world_on(&Kept::default(), TasksSettings::default(), Scope::Everything).await
}

/// Starts an agent with these settings on nothing.
pub(super) async fn world_with(settings: TasksSettings) -> World {
    world_on(&Kept::default(), settings, Scope::Everything).await
}

/// Starts an agent on what was kept.
pub(super) async fn world_on(kept: &Kept, settings: TasksSettings, scope: Scope) -> World {
    world_with_schedules(kept, settings, SchedulesSettings::default(), scope).await
}

/// Starts an agent with these settings of schedules on what was kept.
pub(crate) async fn world_with_schedules(
    kept: &Kept,
    settings: TasksSettings,
    schedules: SchedulesSettings,
    scope: Scope,
) -> World {
    let desk = Desk::new(kept.ledger.clone(), Arc::clone(&kept.clock), settings);
    let outbox = Arc::new(Outbox::default());
    let (facts, people) = (Arc::new(Recorder::default()), Arc::new(People::default()));
    let book = Book::new(kept.ledger.clone(), Arc::clone(&kept.clock), &schedules, desk.bell()).expect("a zone");
    let ports = Ports::new()
        .with::<dyn SchedulesPort>(Arc::new(book.clone()))
        .with::<dyn StorePort>(Arc::clone(&kept.values))
        .with::<dyn ClockPort>(Arc::clone(&kept.clock))
        .with::<dyn MessagesPort>(Arc::clone(&outbox) as _)
        .with::<dyn RandomPort>(Arc::new(SeededRandom::new(Arc::as_ptr(&people) as usize as u64)))
        .with::<dyn SessionsPort>(Arc::new(FakeSessions::default()))
        .with::<dyn TasksPort>(Arc::new(desk.clone()))
        .with::<dyn ObserverPort>(Arc::clone(&facts) as _);
    let registry = crate::registry_of(|id| id == "probe");
    let builder = Kernel::builder(registry).ports(ports).configure("probe", json!({}));
    let kernel = builder.start_all().await.expect("it starts");
    let runner =
        Runner::start(kernel.clone(), desk.clone(), book.clone(), Arc::clone(&people) as _, scope).await.expect("it starts");
    let store = Store::new(Arc::clone(&kept.values), "probe".into(), None, None);
    World { kernel, desk, book, people, facts, store, outbox, runner: Some(runner) }
}

impl World {
    /// Returns what the plugin starts tasks with, in a conversation.
    pub(super) fn tasks(&self) -> Tasks {
        Tasks::new(Arc::new(self.desk.clone()), "probe".into(), Caller::operator().in_session("terminal"))
    }

    pub(super) async fn start<T: TaskArguments>(&self, task: T) -> TaskId {
        self.tasks().start(task).await.expect("it is written down")
    }

    /// Waits until a task has ended.
    pub(super) async fn end(&self, task: &TaskId) -> TaskRecord {
        self.desk.follow(task, |_| {}).await.expect("it is there")
    }

    pub(super) async fn find(&self, task: &TaskId) -> TaskRecord {
        self.desk.find(task).await.expect("it is there")
    }

    /// Returns a number that a task has counted.
    pub(super) async fn counted(&self, what: &str) -> u64 {
        self.store.get(what).await.expect("it reads").unwrap_or(0)
    }

    /// Waits until a task's end was noted, and returns that.
    pub(super) async fn noted(&self, task: &TaskId) -> TaskEnd {
        loop {
            if let Some(end) = self.store.get(&format!("end of {task}")).await.expect("it reads") {
                return end;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Ends as a process does that is asked to.
    pub(super) async fn stop(mut self) {
        if let Some(runner) = self.runner.take() {
            runner.stop().await;
        }
        self.kernel.stop().await;
    }
}
