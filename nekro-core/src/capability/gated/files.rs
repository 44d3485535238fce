//! Files, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{FileEntry, FilePlace, FilesPort, SandboxPath, WriteHow},
    error::Result,
};

impl FilesPort for Gated<dyn FilesPort> {
    fn read(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Vec<u8>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.read(&place, &path).await }))
    }

    fn write(&self, place: &FilePlace, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> BoxFuture<'_, Result<FileEntry>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.write(&place, &path, bytes, how).await }))
    }

    fn remove(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<bool>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.remove(&place, &path).await }))
    }

    fn list(&self, place: &FilePlace, path: Option<&SandboxPath>) -> BoxFuture<'_, Result<Vec<FileEntry>>> {
        let (place, path) = (place.clone(), path.cloned());
        Box::pin(self.gate.pass(async move { self.port.list(&place, path.as_ref()).await }))
    }

    fn metadata(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Option<FileEntry>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.metadata(&place, &path).await }))
    }

    fn media_type(&self, beginning: &[u8]) -> Option<&'static str> {
        self.port.media_type(beginning)
    }
}
