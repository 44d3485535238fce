//! What runs tasks, and nothing else, for the benchmarks.

use std::{path::PathBuf, sync::Arc, time::Duration};

use nekro_core::{
    BoxFuture, Caller, ClockPort, PluginId, Ports, RandomPort, Result, SessionId, TaskId, Tasks, TasksPort,
    kernel::{Kernel, Registry},
};
use rusqlite::OptionalExtension;

use super::{Audience, Desk, Runner, Scope, TasksSettings};
use crate::{
    ports::{SystemClock, SystemRandom},
    schedules::{Book, SchedulesSettings},
    storage::{DataDirectory, Ledger, Storage},
};

/// Runs tasks on a data directory.
pub struct Working {
    kernel: Kernel,
    desk: Desk,
    runner: Runner,
    storage: Arc<Storage>,
}

/// Nobody listens.
struct Nobody;

impl Audience for Nobody {
    fn tell<'a>(&'a self, _: &'a SessionId, _: &'a PluginId, _: String, _: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn progress(&self, _: &SessionId, _: &TaskId, _: &str, _: u8, _: &str) {}
}

impl Working {
    /// Starts, with as many tasks at once as are said and with any number that waits.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub async fn start(registry: Registry, directory: PathBuf, at_once: usize) -> Self {
        let clock: Arc<dyn ClockPort> = Arc::new(SystemClock);
        let storage = Arc::new(Storage::new(DataDirectory::new(directory), Arc::clone(&clock)));
        let ledger = Ledger::Disk(Arc::clone(&storage));
        let settings = TasksSettings {
            concurrency: at_once,
            per_plugin: at_once,
            per_kind: at_once,
            queue: 1_000_000,
            ..TasksSettings::default()
        };
        let desk = Desk::new(ledger.clone(), Arc::clone(&clock), settings);
        let book = Book::new(ledger, Arc::clone(&clock), &SchedulesSettings::default(), desk.bell()).expect("UTC is there");
        let ports = Ports::new()
            .with::<dyn TasksPort>(Arc::new(desk.clone()))
            .with::<dyn RandomPort>(Arc::new(SystemRandom))
            .with::<dyn ClockPort>(clock);
        let kernel = Kernel::builder(registry).ports(ports).start_all().await.expect("it starts");
        let runner = Runner::start(kernel.clone(), desk.clone(), book, Arc::new(Nobody), Scope::Everything);
        let runner = runner.await.expect("it starts");
        Self { kernel, desk, runner, storage }
    }

    /// Returns what a plugin starts its tasks with.
    pub fn tasks(&self, plugin: &'static str) -> Tasks {
        Tasks::new(Arc::new(self.desk.clone()), plugin.into(), Caller::operator())
    }

    /// Waits until every task of a plugin has ended, with those that their ends have started.
    ///
    /// # Panics
    ///
    /// If the database cannot be read.
    pub async fn idle(&self, plugin: &'static str) {
        loop {
            let news = self.desk.news.notified();
            let open = self.desk.ledger.read(|db| {
                let mut open = db.prepare_cached("SELECT 1 FROM task WHERE plugin = ? AND ended IS NULL LIMIT 1")?;
                Ok(open.query_row([plugin], |_| Ok(())).optional()?.is_some())
            });
            if !open.await.expect("it is read") {
                return;
            }
            self.desk.news_or(news, Duration::from_millis(10)).await;
        }
    }

    /// Ends, and closes the database.
    pub async fn stop(self) {
        self.runner.stop().await;
        self.kernel.stop().await;
        self.storage.close().await;
    }
}

impl std::fmt::Debug for Working {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Working").finish_non_exhaustive()
    }
}
