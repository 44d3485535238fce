//! The one thread that writes.
//!
//! Whatever waits is written in one transaction, so that many writes wait for the disk once: each runs in a savepoint of its own, and only
//! then, when the transaction is safe on the disk, is anybody told. A write that fails takes none of the others with it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{StorageError, migration::VERSION};

/// How many writes may wait. Whoever comes then waits for room.
const QUEUE: usize = 1_024;

/// The most writes in one transaction.
const BATCH: usize = 256;

/// How long a write waits for that of another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes, one transaction after the other.
#[derive(Debug)]
pub(super) struct Writer {
    // Taken when it ends.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A write that waits.
trait Job: Send {
    /// Does it, and says why it shall not stay.
    fn run(&mut self, connection: &Connection) -> Result<(), StorageError>;

    /// Tells whoever waits for it.
    fn answer(self: Box<Self>, committed: Result<(), StorageError>);
}

struct Write<F, T> {
    work: Option<F>,
    outcome: Option<Result<T, StorageError>>,
    answer: oneshot::Sender<Result<T, StorageError>>,
}

impl<F, T> Job for Write<F, T>
where
    F: FnOnce(&Connection) -> Result<T, StorageError> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StorageError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        // A mistake of ours in one write must not end all of them.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(StorageError::Other("the write panicked".to_owned())));
        let done = outcome.as_ref().map(drop).map_err(Clone::clone);
        self.outcome = Some(outcome);
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), StorageError>) {
        let outcome = match (self.outcome, committed) {
            // Its own problem says more than that of the whole.
            (Some(Err(problem)), _) | (_, Err(problem)) => Err(problem),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => Err(StorageError::Closed),
        };
        // Whoever asked may no longer wait.
        let _ = self.answer.send(outcome);
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self, StorageError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("nekro-data".to_owned())
            .spawn(move || work(connection, waiting))
            .map_err(|error| StorageError::Other(format!("the thread that writes cannot be started: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Mutex::new(Some(thread)) })
    }

    /// Writes, and returns when it is safe on the disk. Whoever stops waiting does not take it back.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { work: Some(work), outcome: None, answer });
        let jobs = self.jobs.as_ref().ok_or(StorageError::Closed)?;
        jobs.send(job).await.map_err(|_| StorageError::Closed)?;
        answered.await.unwrap_or(Err(StorageError::Closed))
    }
}

impl Drop for Writer {
    /// Writes what waits, and closes the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It panics nowhere; if it ever does, there is nothing left to do here.
            let _ = thread.join();
        }
    }
}

fn work(connection: Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        let committed = transact(&connection, &mut batch);
        for job in batch.drain(..) {
            job.answer(committed.clone());
        }
    }
}

/// Runs a batch in one transaction.
fn transact(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    // The lock of the file is taken at once: what a write reads is then what it changes, whoever else writes.
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = run_all(connection, batch);
    if done.is_err() && !connection.is_autocommit() {
        // The first problem is the one to tell.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

fn run_all(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    still_current(connection)?;
    for job in batch {
        connection.prepare_cached("SAVEPOINT write")?.execute([])?;
        let done = job.run(connection);
        if connection.is_autocommit() {
            // A full disk and the like end the whole transaction, and with it the writes before.
            done?;
            return Err(StorageError::Other("the transaction ended by itself".to_owned()));
        }
        if done.is_err() {
            connection.prepare_cached("ROLLBACK TO write")?.execute([])?;
        }
        connection.prepare_cached("RELEASE write")?.execute([])?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// A newer program may have changed the tables while this one was running.
fn still_current(connection: &Connection) -> Result<(), StorageError> {
    let found: i64 = connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
    if found == VERSION { Ok(()) } else { Err(StorageError::Newer { found, known: VERSION }) }
}
