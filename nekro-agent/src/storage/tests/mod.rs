//! The storage under attack.

mod archive;
mod engine;
mod kill;
mod ports;
#[path = "../../../../tests/conformance/store.rs"]
mod store_rules;
mod versions;

use std::sync::Arc;

use tempfile::TempDir;

use super::{DataDirectory, Storage};
use crate::history::rules::Ticking;

/// A place for a data directory.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::new(self.0.path().join("data"))
    }

    fn storage(&self) -> Storage {
        Storage::new(self.directory(), Arc::new(Ticking::default()))
    }
}
