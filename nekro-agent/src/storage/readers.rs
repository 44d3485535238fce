//! The connections that read. They see what was written when they begin, and wait for no writer.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    DataDirectory, StorageError,
    database::{self, Access},
};

/// The most connections that read at once. Whoever comes then waits.
const MOST_READERS: usize = 8;

/// Reads, with as many connections as there is need for.
#[derive(Debug)]
pub(super) struct Readers {
    directory: DataDirectory,
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Readers {
    /// Begins with one connection.
    pub(super) fn new(directory: DataDirectory, first: Connection) -> Self {
        Self { directory, idle: Mutex::new(vec![first]), free: Semaphore::new(MOST_READERS) }
    }

    /// Reads a little, in place: it takes some microseconds, less than going to another thread.
    pub(super) async fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let _free = self.free.acquire().await.map_err(|_| StorageError::Closed)?;
        self.with(work)
    }

    /// Reads much, on a thread that may be blocked.
    pub(super) async fn scan<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let readers = Arc::clone(self);
        let _free = self.free.acquire().await.map_err(|_| StorageError::Closed)?;
        let scanned = tokio::task::spawn_blocking(move || readers.with(work)).await;
        scanned.unwrap_or_else(|_| Err(StorageError::Other("the reading was broken off".to_owned())))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let connection = match taken {
            Some(connection) => connection,
            None => database::open_existing(&self.directory, Access::Read)?
                .ok_or_else(|| StorageError::Other("the file is no longer there".to_owned()))?,
        };
        let outcome = work(&connection);
        idle().push(connection);
        outcome
    }
}
