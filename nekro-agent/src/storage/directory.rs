//! The data directory: where everything is that an agent keeps, and who is using it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use super::StorageError;

/// The directory that is used if none is named.
pub(crate) const DEFAULT_DIRECTORY: &str = ".nekro";

/// A data directory, whether it is there yet or not.
#[derive(Clone, Debug)]
pub(crate) struct DataDirectory(PathBuf);

/// Says that an agent runs on a data directory, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct AgentLock {
    // The lock is the open file's.
    _file: File,
}

/// Keeps others from making or changing the database at the same time.
pub(super) struct SetupLock {
    _file: File,
}

impl DataDirectory {
    /// Names a directory.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Returns the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("nekro.db")
    }

    /// Returns where the log is kept.
    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Makes the directory if it is not there, for its owner alone, and sees to it that a database may be in it.
    pub(crate) fn prepare(&self) -> Result<(), StorageError> {
        create_private(&self.0).map_err(|error| StorageError::directory(&self.0, &error))?;
        self.is_local()
    }

    /// Refuses a directory on another machine: the database shares memory between processes, which no network has.
    pub(super) fn is_local(&self) -> Result<(), StorageError> {
        match network_file_system(&self.0).map_err(|error| StorageError::directory(&self.0, &error))? {
            Some(kind) => Err(StorageError::Network { path: self.0.display().to_string(), kind }),
            None => Ok(()),
        }
    }

    /// Says that an agent runs here. There is one at a time, for it ends the turns that the end of another has cut off.
    pub(crate) fn lock(&self) -> Result<AgentLock, StorageError> {
        self.prepare()?;
        let path = self.0.join("agent.lock");
        let problem = |error: io::Error| StorageError::directory(&self.0, &error);
        let mut file = open_private(&path).map_err(problem)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id())).map_err(problem)?;
                Ok(AgentLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                Err(StorageError::InUse { path: self.0.display().to_string(), agent: holder(&mut file) })
            }
            Err(TryLockError::Error(error)) => Err(problem(error)),
        }
    }

    /// Returns which agent runs here, if one does.
    pub(crate) fn agent(&self) -> Option<String> {
        // For a moment nobody else can begin to run here; whoever begins just then is told to try again.
        let mut file = File::open(self.0.join("agent.lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder(&mut file)),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    pub(super) fn lock_setup(&self) -> Result<SetupLock, StorageError> {
        let problem = |error: io::Error| StorageError::directory(&self.0, &error);
        let file = open_private(&self.0.join("setup.lock")).map_err(problem)?;
        file.lock().map_err(problem)?;
        Ok(SetupLock { _file: file })
    }

    /// Returns how many bytes everything in it has.
    pub(crate) fn size(&self) -> u64 {
        let files = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        let sizes = files(&self.0).chain(files(&self.logs())).filter_map(|file| file.metadata().ok());
        sizes.filter(fs::Metadata::is_file).map(|file| file.len()).sum()
    }

    /// Tells whether others on this machine may look into it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        is_open(&self.0)
    }
}

/// Returns what whoever holds the lock has written into it.
fn holder(file: &mut File) -> String {
    const MOST_BYTES: u64 = 100;
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(MOST_BYTES).read_to_string(&mut text));
    if read.is_err() || text.is_empty() { "of which nothing is known".to_owned() } else { text }
}

#[cfg(unix)]
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens a file for reading and writing, and makes it for its owner alone if it is not there.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    only_owner(&mut options);
    options.open(path)
}

#[cfg(unix)]
pub(crate) fn only_owner(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600);
}

#[cfg(not(unix))]
pub(crate) fn only_owner(_: &mut OpenOptions) {}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    Ok(name_of_network(rustix::fs::statfs(path)?.f_type as u64))
}

// Elsewhere the operating system is not asked; the documentation says so.
#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Returns the name of a network file system by its number in `linux/magic.h` and the sources of the kernel.
#[cfg(target_os = "linux")]
fn name_of_network(magic: u64) -> Option<&'static str> {
    Some(match magic & 0xffff_ffff {
        0x6969 => "NFS",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB 2",
        0x517b => "SMB",
        0x564c => "NCP",
        0x0102_1997 => "9p",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x1983_0326 => "FhGFS",
        0x4750_4653 => "GPFS",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, DataDirectory) {
        let place = tempfile::tempdir().expect("a directory");
        let directory = DataDirectory::new(place.path().join("deep/data"));
        (place, directory)
    }

    #[cfg(unix)]
    #[test]
    fn a_new_directory_is_its_owners_alone() {
        let (_place, directory) = place();
        directory.prepare().expect("it is made");
        assert!(!directory.is_open_to_others());
        directory.prepare().expect("it may be there");
    }

    #[test]
    fn one_agent_runs_at_a_time_and_others_can_tell() {
        let (_place, directory) = place();
        assert_eq!(directory.agent(), None);
        let lock = directory.lock().expect("nobody is there");
        let process = format!("process {}", std::process::id());
        assert_eq!(directory.agent().as_ref(), Some(&process));
        match directory.lock().expect_err("somebody is there") {
            StorageError::InUse { agent, .. } => assert_eq!(agent, process),
            other => panic!("{other}"),
        }
        drop(lock);
        assert_eq!(directory.agent(), None);
        directory.lock().expect("nobody is there any more");
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("data");
        fs::write(&file, "").expect("a file");
        let problem = DataDirectory::new(&file).prepare().expect_err("a file is no directory");
        assert!(problem.to_string().contains("cannot be used") && problem.hint().is_some(), "{problem}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_and_disks_are_not_among_them() {
        assert_eq!(name_of_network(0x6969), Some("NFS"));
        assert_eq!(name_of_network(0xff53_4d42), Some("CIFS"));
        // A field of 32 bits that became one of 64 has its sign on the left.
        assert_eq!(name_of_network(0xffff_ffff_ff53_4d42), Some("CIFS"));
        let (ext4, btrfs, xfs, tmpfs, overlay) = (0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x794c_7630);
        for magic in [ext4, btrfs, xfs, tmpfs, overlay] {
            assert_eq!(name_of_network(magic), None, "{magic:x}");
        }
    }
}
