//! The files of the log: one that grows, and a few that are full.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::storage::{create_private, only_owner};

/// At how many bytes the next file is begun.
pub(super) const LOG_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// How many files there are at most.
pub(super) const LOG_FILES: usize = 4;

/// Appends to the newest file. Several processes may do so.
pub(super) struct LogFile {
    folder: PathBuf,
    most_bytes: u64,
    open: Option<File>,
}

/// Returns a file of a log: 0 is the newest.
pub(super) fn path(folder: &Path, age: usize) -> PathBuf {
    match age {
        0 => folder.join("nekro.jsonl"),
        age => folder.join(format!("nekro.{age}.jsonl")),
    }
}

impl LogFile {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, most_bytes: LOG_FILE_BYTES, open: None }
    }

    /// Writes a line, in one piece: what several processes write is not mixed.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let newest = path(&self.folder, 0);
        if let Some(file) = &self.open
            && (!is_at(file, &newest) || file.metadata()?.len() >= self.most_bytes)
        {
            self.open = None;
        }
        let file = match &mut self.open {
            Some(file) => file,
            None => {
                create_private(&self.folder)?;
                if fs::metadata(&newest).is_ok_and(|metadata| metadata.len() >= self.most_bytes) {
                    self.rotate()?;
                }
                let mut options = OpenOptions::new();
                options.append(true).create(true);
                only_owner(&mut options);
                self.open.insert(options.open(&newest)?)
            }
        };
        file.write_all(format!("{line}\n").as_bytes())
    }

    /// Makes the newest file an older one, and so on; the oldest goes.
    fn rotate(&self) -> io::Result<()> {
        let lock = crate::storage::open_private(&self.folder.join("rotate.lock"))?;
        lock.lock()?;
        // Somebody else may have been faster.
        if fs::metadata(path(&self.folder, 0))?.len() < self.most_bytes {
            return Ok(());
        }
        for age in (0..LOG_FILES - 1).rev() {
            match fs::rename(path(&self.folder, age), path(&self.folder, age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Tells whether an open file is still the one of that name: another process may have begun the next.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (file.metadata(), fs::metadata(path)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(super) fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_never_grows_beyond_its_files() {
        let place = tempfile::tempdir().expect("a directory");
        let folder = place.path().join("log");
        // Two that write, as two processes would.
        let mut logs = [0, 1].map(|_| LogFile { folder: folder.clone(), most_bytes: 1_000, open: None });
        for number in 0..2_000 {
            logs[number % 2].append(&format!("{number:04}")).expect("it is written");
        }
        let sizes: Vec<_> = (0..LOG_FILES).map(|age| fs::metadata(path(&folder, age)).map(|one| one.len())).collect();
        assert!(sizes.iter().flatten().all(|&size| size <= 1_005), "{sizes:?}");
        assert!(sizes[1..].iter().all(|size| matches!(size, Ok(1_000..))), "{sizes:?}");
        assert!(!path(&folder, LOG_FILES).exists());
        let kept: String = (0..LOG_FILES).rev().filter_map(|age| fs::read_to_string(path(&folder, age)).ok()).collect();
        let numbers: Vec<u32> = kept.lines().map(|line| line.parse().expect("whole lines")).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]) && numbers.last() == Some(&1_999));
    }

    #[cfg(unix)]
    #[test]
    fn a_log_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;

        let place = tempfile::tempdir().expect("a directory");
        let folder = place.path().join("log");
        LogFile::new(folder.clone()).append("{}").expect("it is written");
        for path in [folder.clone(), path(&folder, 0)] {
            assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o077, 0, "{path:?}");
        }
    }
}
