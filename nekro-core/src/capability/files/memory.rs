//! Files in memory: for tests, and for agents that need nothing kept.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::{FileEntry, FileKind, FilePlace, FilesPort, SandboxPath, WriteHow};
use crate::{
    call::BoxFuture,
    error::{Error, Result},
};

type Tree = BTreeMap<(FilePlace, SandboxPath), Vec<u8>>;

/// Files in memory. A directory is there as long as something is in it.
#[derive(Default)]
pub struct MemoryFiles(Mutex<Tree>);

impl MemoryFiles {
    fn with<T: Send + 'static>(&self, f: impl FnOnce(&mut Tree) -> T) -> BoxFuture<'_, T> {
        let value = f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(value))
    }
}

fn is_directory(tree: &Tree, place: &FilePlace, path: &SandboxPath) -> bool {
    below(tree, place, Some(path)).next().is_some()
}

/// Returns what is below a directory: the rest of each path, and the bytes.
fn below<'a>(tree: &'a Tree, place: &'a FilePlace, path: Option<&'a SandboxPath>) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    tree.iter().filter(move |((of, _), _)| of == place).filter_map(move |((_, file), bytes)| {
        let rest = match path {
            Some(path) => file.as_str().strip_prefix(path.as_str())?.strip_prefix('/')?,
            None => file.as_str(),
        };
        Some((rest, bytes.as_slice()))
    })
}

fn missing(path: &SandboxPath) -> Error {
    Error::new(format!("there is no file `{path}`")).with_code("not_found")
}

fn no_file(path: &SandboxPath) -> Error {
    Error::new(format!("`{path}` is not a file")).with_code("not_a_file")
}

impl FilesPort for MemoryFiles {
    fn read(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Vec<u8>>> {
        self.with(|tree| match tree.get(&(place.clone(), path.clone())) {
            Some(bytes) => Ok(bytes.clone()),
            None if is_directory(tree, place, path) => Err(no_file(path)),
            None => Err(missing(path)),
        })
    }

    fn write(&self, place: &FilePlace, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> BoxFuture<'_, Result<FileEntry>> {
        self.with(|tree| {
            if is_directory(tree, place, path) {
                return Err(no_file(path));
            }
            let mut above = path.parent();
            while let Some(folder) = above {
                if tree.contains_key(&(place.clone(), folder.clone())) {
                    return Err(Error::new(format!("`{folder}` is not a directory")).with_code("not_a_directory"));
                }
                above = folder.parent();
            }
            let key = (place.clone(), path.clone());
            if how == WriteHow::Create && tree.contains_key(&key) {
                return Err(Error::new(format!("`{path}` is there already")).with_code("exists"));
            }
            let file = tree.entry(key).or_default();
            if how != WriteHow::Append {
                file.clear();
            }
            file.extend_from_slice(&bytes);
            Ok(FileEntry::new(path.clone(), FileKind::File, file.len() as u64))
        })
    }

    fn remove(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<bool>> {
        self.with(|tree| {
            if is_directory(tree, place, path) {
                return Err(Error::new(format!("the directory `{path}` is not empty")).with_code("not_empty"));
            }
            Ok(tree.remove(&(place.clone(), path.clone())).is_some())
        })
    }

    fn list(&self, place: &FilePlace, path: Option<&SandboxPath>) -> BoxFuture<'_, Result<Vec<FileEntry>>> {
        self.with(|tree| {
            let mut entries = BTreeMap::new();
            for (rest, bytes) in below(tree, place, path) {
                let (name, kind, bytes) = match rest.split_once('/') {
                    Some((name, _)) => (name, FileKind::Directory, 0),
                    None => (rest, FileKind::File, bytes.len() as u64),
                };
                let path = match path {
                    Some(path) => path.join(name)?,
                    None => name.parse()?,
                };
                entries.insert(name.to_owned(), FileEntry::new(path, kind, bytes));
            }
            match path {
                Some(path) if entries.is_empty() => Err(match tree.contains_key(&(place.clone(), path.clone())) {
                    true => Error::new(format!("`{path}` is not a directory")).with_code("not_a_directory"),
                    false => Error::new(format!("there is no directory `{path}`")).with_code("not_found"),
                }),
                _ => Ok(entries.into_values().collect()),
            }
        })
    }

    fn metadata(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Option<FileEntry>>> {
        self.with(|tree| {
            let file = tree.get(&(place.clone(), path.clone()));
            Ok(match file {
                Some(bytes) => Some(FileEntry::new(path.clone(), FileKind::File, bytes.len() as u64)),
                None => is_directory(tree, place, path).then(|| FileEntry::new(path.clone(), FileKind::Directory, 0)),
            })
        })
    }

    fn media_type(&self, beginning: &[u8]) -> Option<&'static str> {
        beginning.starts_with(b"\x89PNG\r\n\x1a\n").then_some("image/png")
    }
}

impl fmt::Debug for MemoryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.lock().unwrap_or_else(PoisonError::into_inner).keys()).finish()
    }
}
