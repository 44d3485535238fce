//! What the benchmarks measure, for the rooms of this crate are closed to them. No part of what is promised.

use std::{path::PathBuf, sync::Arc};

use nekro_core::{BoxFuture, Ports, Result, StorePort, VectorsPort};

use crate::{
    history::{Body, HistoryPort, NewMessage},
    ports::SystemClock,
    reach::{FilesSettings, HttpSettings, ProcessSettings, Reach, SecretsSettings},
    storage::{DataDirectory, Storage},
    vectors::{Collections, Embedded, Embedder, VectorsSettings},
};

#[cfg(feature = "http")]
pub use crate::serve::measured::{Served, serve};
pub use crate::{agent::measured, tasks::Working};

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

/// Makes collections in a data directory, with vectors of so many numbers that stand for nothing.
pub fn vectors(directory: PathBuf, dimension: usize) -> Arc<dyn VectorsPort> {
    let storage = Arc::new(Storage::new(DataDirectory::new(directory), Arc::new(SystemClock)));
    let settings = VectorsSettings { points: u64::MAX, ..VectorsSettings::default() };
    Arc::new(Collections::new(&settings, storage, Some(Arc::new(Seeded(dimension)))))
}

/// An embedding model that makes each vector from the text alone: one of 500 directions, and something by chance.
pub struct Seeded(usize);

impl Seeded {
    /// Returns the vector of a text.
    pub fn vector(text: &str, dimension: usize) -> Vec<f32> {
        let seed =
            text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let chance = |seed: u64| {
            let mut state = seed;
            std::iter::repeat_with(move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1 << 24) as f32 - 0.5
            })
        };
        let mixed = chance(seed % 500).zip(chance(seed)).map(|(own, other)| own + 0.7 * other);
        let vector: Vec<_> = mixed.take(dimension).collect();
        let length = vector.iter().map(|one| one * one).sum::<f32>().sqrt();
        vector.into_iter().map(|one| one / length).collect()
    }
}

impl Embedder for Seeded {
    fn model(&self) -> &str {
        "seeded"
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Embedded>> {
        let vectors = texts.iter().map(|text| Self::vector(text, self.0)).collect();
        Box::pin(std::future::ready(Ok(Embedded { vectors, tokens: 0 })))
    }
}
