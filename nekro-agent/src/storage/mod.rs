//! What is kept on the disk: one directory, one database in it.
//!
//! Nothing is opened before it is needed, and nothing is made before something is written: a command that only lists leaves no directory
//! behind. One thread writes, and several connections read beside it. Other processes may do the same at the same time.

mod archive;
mod database;
#[cfg(feature = "http")]
mod deliveries;
mod directory;
mod history;
mod ledger;
mod migration;
mod problem;
mod readers;
mod rows;
pub(crate) mod schedules;
pub(crate) mod tasks;
#[cfg(test)]
mod tests;
mod values;
mod vectors;
mod whose;
mod writer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use nekro_core::{ClockPort, PluginId, StoreLimits};
use rusqlite::Connection;

#[cfg(feature = "http")]
pub(crate) use self::deliveries::{NewDelivery, StoredDelivery};
pub(crate) use self::{
    archive::{Counts, ExportError, Import, ImportError, delete, export, export_session, export_values, import},
    directory::{DEFAULT_DIRECTORY, DataDirectory, create_private, only_owner, open_private},
    ledger::Ledger,
    problem::StorageError,
    vectors::{CollectionRow, NewPoint, Written},
    whose::{Removed, Whose},
};
use self::{
    database::{Access, open, open_existing},
    readers::Readers,
    writer::Writer,
};

/// The database of a data directory. Implements the ports of the plugins' values and of history.
pub(crate) struct Storage {
    directory: DataDirectory,
    clock: Arc<dyn ClockPort>,
    readers: OnceLock<Arc<Readers>>,
    // None after the end.
    writer: Mutex<Option<Arc<Writer>>>,
    ended: OnceLock<()>,
    limits: OnceLock<StoreLimits>,
    // Of the values of the plugins that have started.
    versions: Mutex<BTreeMap<PluginId, u32>>,
}

/// How the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// There is none yet.
    Absent,
    /// It is in order.
    Good,
    /// It is damaged.
    Damaged(String),
}

impl Storage {
    /// Names the data directory, and touches nothing.
    pub(crate) fn new(directory: DataDirectory, clock: Arc<dyn ClockPort>) -> Self {
        Self {
            directory,
            clock,
            readers: OnceLock::new(),
            writer: Mutex::default(),
            ended: OnceLock::new(),
            limits: OnceLock::new(),
            versions: Mutex::default(),
        }
    }

    /// Says how much plugins may keep, as soon as the settings are known.
    pub(crate) fn limit(&self, limits: &StoreLimits) {
        let _ = self.limits.set(limits.clone());
    }

    /// Returns the data directory.
    pub(crate) fn directory(&self) -> &DataDirectory {
        &self.directory
    }

    /// Writes what waits, and closes the file. Nothing can be written afterwards.
    pub(crate) async fn close(&self) {
        let _ = self.ended.set(());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It ends with the last write that uses it; that is waited for where it may block.
        let _ = tokio::task::spawn_blocking(move || drop(writer)).await;
    }

    /// Looks through the whole file.
    pub(crate) async fn health(&self) -> Result<Health, StorageError> {
        let Some(readers) = self.readers()? else { return Ok(Health::Absent) };
        let look = |connection: &Connection| {
            let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            Ok(if found == "ok" { Health::Good } else { Health::Damaged(found) })
        };
        match readers.scan(look).await {
            Err(StorageError::Damaged(problem)) => Ok(Health::Damaged(problem)),
            other => other,
        }
    }

    /// Returns the connections that read; none if there is nothing to read.
    fn readers(&self) -> Result<Option<&Arc<Readers>>, StorageError> {
        if let Some(readers) = self.readers.get() {
            return Ok(Some(readers));
        }
        let Some(first) = open_existing(&self.directory, Access::Read)? else { return Ok(None) };
        Ok(Some(self.readers.get_or_init(|| Arc::new(Readers::new(self.directory.clone(), first)))))
    }

    fn writer(&self) -> Result<Arc<Writer>, StorageError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*writer {
            Some(writer) => Ok(Arc::clone(writer)),
            None if self.ended.get().is_some() => Err(StorageError::Closed),
            None => Ok(Arc::clone(writer.insert(Arc::new(Writer::start(open(&self.directory)?)?)))),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.writer()?.write(work).await
    }

    /// Reads a little; the default value where nothing has been written yet.
    async fn read<T: Default>(&self, work: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        match self.readers()? {
            Some(readers) => readers.read(work).await,
            None => Ok(T::default()),
        }
    }

    /// Reads what may be much; the default value where nothing has been written yet.
    async fn scan<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        match self.readers()? {
            Some(readers) => readers.scan(work).await,
            None => Ok(T::default()),
        }
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Returns the number of the next write.
fn next_write(connection: &Connection) -> Result<i64, StorageError> {
    let mut next = connection.prepare_cached("UPDATE writes SET count = count + 1 RETURNING count")?;
    Ok(next.query_row([], |row| row.get(0))?)
}

/// A limit as the database takes it.
fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
