//! What the benchmarks measure, for the rooms of this crate are closed to them. No part of what is promised.

use std::{path::PathBuf, sync::Arc};

use nekro_core::{BoxFuture, Ports, Result, StorePort};

use crate::{
    history::{Body, HistoryPort, NewMessage},
    ports::SystemClock,
    reach::{FilesSettings, HttpSettings, ProcessSettings, Reach, SecretsSettings},
    storage::{DataDirectory, Storage},
};

pub use crate::agent::measured;
#[cfg(feature = "http")]
pub use crate::serve::measured::{Served, serve};

/// Makes the ports of what plugins reach. Files are below `root`, and requests may go to a network.
///
/// # Panics
///
/// If it is not a network.
pub fn reach(root: PathBuf, network: &str) -> Ports {
    let network = network.parse().expect("a network in CIDR notation");
    let http = HttpSettings { allowed_networks: vec![network], ..HttpSettings::default() };
    Reach::new(&[], root, (&http, &FilesSettings::default(), &ProcessSettings::default()), &SecretsSettings::default()).ports()
}

/// The database of a data directory.
pub struct Kept(Arc<Storage>);

impl Kept {
    /// Names the directory.
    pub fn new(directory: PathBuf) -> Self {
        Self(Arc::new(Storage::new(DataDirectory::new(directory), Arc::new(SystemClock))))
    }

    /// Returns the plugins' store.
    pub fn store(&self) -> Arc<dyn StorePort> {
        Arc::clone(&self.0) as _
    }

    /// Writes a message, and returns its number.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn append<'a>(&'a self, session: &'a str, text: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let body = Body::Person { user: None, text: text.to_owned(), original: None, files: Vec::new() };
            let new = NewMessage { turn: None, hidden: false, body };
            let written = self.0.append(&session.into(), vec![new]).await?;
            Ok(written.last().map_or(0, |message| message.number))
        })
    }
}
