//! One directory that cannot be left, and how much is in it.
//!
//! `cap-std` keeps every path below the directory, whatever links there are and however fast they change. Above that, only plain files
//! with one name are opened: another name of the same file could be outside.

use std::{
    io::{Read, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use nekro_core::{Error, FileEntry, FileKind, Result, SandboxPath, Timestamp, WriteHow};
use rustix::fs::OFlags;

use super::{problem, settings::FilesSettings};

/// How the names of files begin that are not whole yet. No path can have it.
const UNFINISHED: &str = ".nekro-unfinished-";

/// After what time nobody finishes them any more.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// The most entries that are listed at once.
const MOST_LISTED: usize = 10_000;

/// A directory, and how much may be in it.
pub(super) struct Place {
    dir: Dir,
    limits: FilesSettings,
    // Not counted in a directory that is the machine's. Counted when something is first written; held while something is changed.
    usage: Option<Mutex<Option<Usage>>>,
    unfinished: AtomicU64,
}

/// How much is in a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    bytes: u64,
    entries: u64,
}

impl Place {
    /// A directory with quotas.
    pub(super) fn counted(dir: Dir, limits: FilesSettings) -> Self {
        Self { dir, limits, usage: Some(Mutex::default()), unfinished: AtomicU64::new(0) }
    }

    /// A directory without.
    pub(super) fn uncounted(dir: Dir, limits: FilesSettings) -> Self {
        let limits = FilesSettings { quota_bytes: u64::MAX, quota_files: u64::MAX, ..limits };
        Self { usage: None, ..Self::counted(dir, limits) }
    }

    /// Forgets how much is in it: somebody else has written there.
    pub(super) fn forget_usage(&self) {
        if let Some(usage) = &self.usage {
            *usage.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    pub(super) fn read(&self, path: &SandboxPath) -> Result<Vec<u8>> {
        let (file, metadata) = self.open(path, OpenOptions::new().read(true))?;
        let most = self.limits.file_bytes;
        if metadata.len() > most {
            return Err(problem::too_large(path, most));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        // It may grow while it is read.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|met| problem::met(path, &met))?;
        if bytes.len() as u64 > most { Err(problem::too_large(path, most)) } else { Ok(bytes) }
    }

    pub(super) fn write(&self, path: &SandboxPath, bytes: &[u8], how: WriteHow) -> Result<FileEntry> {
        let before = self.plain_file(path)?;
        if how == WriteHow::Create && before.is_some() {
            return Err(problem::exists(path));
        }
        let kept = before.as_ref().filter(|_| how == WriteHow::Append).map_or(0, Metadata::len);
        let new_length = kept.saturating_add(bytes.len() as u64);
        if new_length > self.limits.file_bytes {
            return Err(problem::too_large(path, self.limits.file_bytes));
        }
        self.changing(|usage| {
            let old_length = before.as_ref().map_or(0, Metadata::len);
            let missing = if before.is_some() { 0 } else { self.missing(path) };
            let after = Usage {
                bytes: (usage.bytes.saturating_sub(old_length)).saturating_add(new_length),
                entries: usage.entries.saturating_add(missing),
            };
            if after.bytes > self.limits.quota_bytes && after.bytes > usage.bytes {
                return Err(problem::over_quota("bytes", self.limits.quota_bytes, "files.quota_bytes"));
            }
            if after.entries > self.limits.quota_files && missing > 0 {
                return Err(problem::over_quota("files and directories", self.limits.quota_files, "files.quota_files"));
            }
            if let Some(parent) = path.parent() {
                self.dir.create_dir_all(parent.as_str()).map_err(|met| problem::met(&parent, &met))?;
            }
            match (how, &before) {
                (WriteHow::Append, Some(_)) => self.append(path, bytes)?,
                _ => self.write_whole(path, bytes, how)?,
            }
            *usage = after;
            Ok(())
        })?;
        let metadata = self.plain_file(path)?.ok_or_else(|| problem::not_a_file(path))?;
        Ok(entry(path.clone(), &metadata))
    }

    pub(super) fn remove(&self, path: &SandboxPath) -> Result<bool> {
        let Some(metadata) = self.look(path)? else { return Ok(false) };
        self.changing(|usage| {
            let removed =
                if metadata.is_dir() { self.dir.remove_dir(path.as_str()) } else { self.dir.remove_file(path.as_str()) };
            removed.map_err(|met| problem::met(path, &met))?;
            usage.entries = usage.entries.saturating_sub(1);
            if metadata.is_file() {
                usage.bytes = usage.bytes.saturating_sub(metadata.len());
            }
            Ok(true)
        })
    }

    pub(super) fn list(&self, path: Option<&SandboxPath>) -> Result<Vec<FileEntry>> {
        let found = match path {
            Some(path) => self.dir.read_dir(path.as_str()).map_err(|met| problem::met(path, &met))?,
            None => self.dir.entries().map_err(|met| problem::unavailable(&met))?,
        };
        let mut entries = Vec::new();
        for one in found {
            let one = one.map_err(|met| problem::unavailable(&met))?;
            // A name that is no path here cannot be used, and is not shown. Neither is what vanished meanwhile.
            let Some(name) = one.file_name().to_str().and_then(|name| match path {
                Some(path) => path.join(name).ok(),
                None => name.parse().ok(),
            }) else {
                continue;
            };
            let Ok(metadata) = one.metadata() else { continue };
            if is_plain(&metadata) || metadata.is_dir() {
                entries.push(entry(name, &metadata));
            }
            if entries.len() > MOST_LISTED {
                return Err(Error::new(format!("there are more than {MOST_LISTED} files in one directory")).with_code("too_many"));
            }
        }
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    pub(super) fn metadata(&self, path: &SandboxPath) -> Result<Option<FileEntry>> {
        match self.look(path)? {
            Some(metadata) if is_plain(&metadata) || metadata.is_dir() => Ok(Some(entry(path.clone(), &metadata))),
            Some(_) => Err(problem::forbidden(path)),
            None => Ok(None),
        }
    }

    /// Opens a plain file, and nothing else: no link, no pipe that would never answer, no device.
    fn open(&self, path: &SandboxPath, options: &mut OpenOptions) -> Result<(File, Metadata)> {
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        let file = self.dir.open_with(path.as_str(), options).map_err(|met| problem::met(path, &met))?;
        let metadata = file.metadata().map_err(|met| problem::met(path, &met))?;
        if metadata.is_dir() {
            return Err(problem::not_a_file(path));
        }
        if is_plain(&metadata) { Ok((file, metadata)) } else { Err(problem::forbidden(path)) }
    }

    /// Looks at a path without following a link at its end.
    fn look(&self, path: &SandboxPath) -> Result<Option<Metadata>> {
        match self.dir.symlink_metadata(path.as_str()) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(met) if met.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(met) => Err(problem::met(path, &met)),
        }
    }

    /// Looks at a file that may be written.
    fn plain_file(&self, path: &SandboxPath) -> Result<Option<Metadata>> {
        match self.look(path)? {
            Some(metadata) if metadata.is_dir() => Err(problem::not_a_file(path)),
            Some(metadata) if !is_plain(&metadata) => Err(problem::forbidden(path)),
            other => Ok(other),
        }
    }

    /// Counts what writing a file would add: itself, and directories above it.
    fn missing(&self, path: &SandboxPath) -> u64 {
        let mut count = 1;
        let mut above = path.parent();
        while let Some(folder) = above.filter(|folder| !self.dir.is_dir(folder.as_str())) {
            count += 1;
            above = folder.parent();
        }
        count
    }

    fn append(&self, path: &SandboxPath, bytes: &[u8]) -> Result<()> {
        let (mut file, _) = self.open(path, OpenOptions::new().append(true))?;
        file.write_all(bytes).map_err(|met| problem::met(path, &met))
    }

    /// Writes beside the file, and takes its place when all is on the disk.
    fn write_whole(&self, path: &SandboxPath, bytes: &[u8], how: WriteHow) -> Result<()> {
        let met = |met: std::io::Error| problem::met(path, &met);
        // Both steps happen in the directory that is opened here, wherever somebody moves it meanwhile.
        let parent = match path.parent() {
            Some(parent) => self.dir.open_dir(parent.as_str()).map_err(met)?,
            None => self.dir.try_clone().map_err(met)?,
        };
        let unfinished = format!("{UNFINISHED}{}-{}", std::process::id(), self.unfinished.fetch_add(1, Ordering::Relaxed));
        let written = (|| {
            let mut file = parent.open_with(&unfinished, OpenOptions::new().write(true).create_new(true).mode(0o600))?;
            file.write_all(bytes)?;
            file.sync_data()?;
            if how == WriteHow::Create {
                parent.hard_link(&unfinished, &parent, path.name())
            } else {
                parent.rename(&unfinished, &parent, path.name())
            }
        })();
        if written.is_err() || how == WriteHow::Create {
            // What is left of it is removed when the directory is counted next.
            let _ = parent.remove_file(&unfinished);
        }
        written.map_err(met)
    }

    /// Changes something, one at a time, and keeps count.
    fn changing<T>(&self, change: impl FnOnce(&mut Usage) -> Result<T>) -> Result<T> {
        let Some(usage) = &self.usage else {
            return change(&mut Usage::default());
        };
        let mut usage = usage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = match *usage {
            Some(known) if !self.is_nearly_full(known) => known,
            // What was counted may be wrong by now, for programs write here too.
            _ => self.count(&self.dir).map_err(|met| problem::unavailable(&met))?,
        };
        let result = change(&mut now);
        *usage = Some(now);
        result
    }

    fn is_nearly_full(&self, usage: Usage) -> bool {
        let near = |now: u64, most: u64| now > most - most / 8;
        near(usage.bytes, self.limits.quota_bytes) || near(usage.entries, self.limits.quota_files)
    }

    /// Counts what is in a directory, and removes what was never finished.
    fn count(&self, dir: &Dir) -> std::io::Result<Usage> {
        let mut usage = Usage::default();
        for one in dir.entries()? {
            let one = one?;
            let Ok(metadata) = one.metadata() else { continue };
            if one.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let age = metadata.modified().ok().and_then(|at| at.into_std().elapsed().ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    let _ = one.remove_file();
                }
                continue;
            }
            usage.entries += 1;
            if metadata.is_file() {
                usage.bytes += metadata.len();
            } else if metadata.is_dir()
                && let Ok(below) = one.open_dir()
            {
                let below = self.count(&below)?;
                usage.entries += below.entries;
                usage.bytes += below.bytes;
            }
        }
        Ok(usage)
    }
}

/// Tells whether it is a file with one name.
fn is_plain(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.nlink() <= 1
}

fn entry(path: SandboxPath, metadata: &Metadata) -> FileEntry {
    let kind = if metadata.is_dir() { FileKind::Directory } else { FileKind::File };
    let bytes = if metadata.is_dir() { 0 } else { metadata.len() };
    let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at.into_std()).ok());
    FileEntry::new(path, kind, bytes).modified(modified)
}
