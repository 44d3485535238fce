//! Where tasks and schedules are written down: the database of a data directory, or in tests one in memory.
//!
//! The one in memory is written in place and by nobody else, so that a test with time that does not pass by itself sees no thread at work.

use std::sync::Arc;

use rusqlite::Connection;

use super::{Storage, StorageError};

/// A database with the tables of this program.
#[derive(Clone, Debug)]
pub(crate) enum Ledger {
    /// That of a data directory.
    Disk(Arc<Storage>),
    /// One of a test.
    #[cfg(test)]
    Memory(Arc<std::sync::Mutex<Connection>>),
}

impl Ledger {
    /// Makes one in memory.
    #[cfg(test)]
    pub(crate) fn memory() -> Self {
        let mut connection = Connection::open_in_memory().expect("memory is there");
        connection.set_prepared_statement_cache_capacity(64);
        super::migration::migrate(&mut connection, super::migration::STEPS).expect("it is empty");
        Self::Memory(Arc::new(std::sync::Mutex::new(connection)))
    }

    /// Writes: all of it or nothing, and it is safe when this returns.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        match self {
            Self::Disk(storage) => storage.write(work).await,
            #[cfg(test)]
            Self::Memory(connection) => {
                let connection = connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                connection.execute_batch("BEGIN")?;
                let done = work(&connection);
                connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
                done
            }
        }
    }

    /// Reads a little; the default value where nothing has been written yet.
    pub(crate) async fn read<T: Default>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match self {
            Self::Disk(storage) => storage.read(work).await,
            #[cfg(test)]
            Self::Memory(connection) => work(&connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)),
        }
    }
}
