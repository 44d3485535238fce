//! Files of plugins and conversations, each in a directory that cannot be left.

mod place;
mod problem;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cap_std::{ambient_authority, fs::Dir};
use nekro_core::{BoxFuture, FileEntry, FilePlace, FilesPort, Result, SandboxPath, SessionId, WriteHow};

use self::place::Place;
pub(crate) use self::settings::FilesSettings;

/// The most directories that are kept open at the same time, beside those in use.
const MOST_OPEN: usize = 256;

/// Files on the disk of this machine.
pub(crate) struct LocalFiles {
    root: PathBuf,
    settings: FilesSettings,
    places: Mutex<HashMap<FilePlace, Arc<Place>>>,
}

impl LocalFiles {
    /// Keeps files below a directory, which is made when the first of them is.
    pub(crate) fn new(root: impl Into<PathBuf>, settings: &FilesSettings) -> Self {
        Self { root: root.into(), settings: settings.clone(), places: Mutex::default() }
    }

    /// Returns where on the disk a place is; a directory is made if it is not there.
    pub(crate) fn path(&self, place: &FilePlace) -> io::Result<PathBuf> {
        let (kind, name) = match place {
            FilePlace::Own(plugin) => ("plugins", directory_name(plugin.as_str())),
            FilePlace::Exchange(session) => ("sessions", directory_name(session.as_str())),
            FilePlace::Declared(path) => return Ok(PathBuf::from(path)),
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
        };
        let path = self.root.join(kind).join(name);
        create_private(&path)?;
        Ok(path)
    }

    /// Says that somebody else has written into a place, and so what is in it is to be counted again.
    pub(crate) fn changed(&self, place: &FilePlace) {
        if let Some(known) = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(place) {
            known.forget_usage();
        }
    }

    fn place(&self, place: &FilePlace) -> io::Result<Arc<Place>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = places.get(place) {
            return Ok(Arc::clone(known));
        }
        if places.len() >= MOST_OPEN {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let dir = Dir::open_ambient_dir(self.path(place)?, ambient_authority())?;
        let opened = Arc::new(match place {
            FilePlace::Declared(_) => Place::uncounted(dir, self.settings.clone()),
            _ => Place::counted(dir, self.settings.clone()),
        });
        places.insert(place.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    /// Does something with a place where it may take its time.
    async fn with<T: Send + 'static>(
        &self,
        place: &FilePlace,
        work: impl FnOnce(&Place) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.place(place).map_err(|met| problem::unavailable(&met))?;
        tokio::task::spawn_blocking(move || work(&place)).await?
    }
}

/// Removes the files of a conversation. `root` is where files are kept; its directory stays, for an agent may hold it open.
pub(crate) fn forget_exchange(root: &Path, session: &SessionId) -> io::Result<()> {
    let entries = match fs::read_dir(root.join("sessions").join(directory_name(session.as_str()))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        // Neither follows a link.
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

/// Makes a directory that only its owner can look into, with those above it.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Turns an id into the name of a directory: what is not plain in it is escaped, so that no two ids share one.
fn directory_name(id: &str) -> String {
    /// As many bytes of an id as are shown; a file system has 255 for a name.
    const MOST_BYTES: usize = 180;
    let mut name = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Capitals too: there are disks on which they are no difference.
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    if name.len() > MOST_BYTES {
        // FNV-1a of 128 bits, <https://www.rfc-editor.org/rfc/rfc9923>. Ids come from channels and not from whoever would search for two
        // that are alike in all that is shown and in this.
        let fold = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        let hash = id.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold);
        name.truncate(MOST_BYTES);
        name.push_str(&format!("%%{hash:032x}"));
    }
    if name.is_empty() { "%".to_owned() } else { name }
}

impl FilesPort for LocalFiles {
    fn read(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Vec<u8>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(async move { self.with(&place, move |place| place.read(&path)).await })
    }

    fn write(&self, place: &FilePlace, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> BoxFuture<'_, Result<FileEntry>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(async move { self.with(&place, move |place| place.write(&path, &bytes, how)).await })
    }

    fn remove(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<bool>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(async move { self.with(&place, move |place| place.remove(&path)).await })
    }

    fn list(&self, place: &FilePlace, path: Option<&SandboxPath>) -> BoxFuture<'_, Result<Vec<FileEntry>>> {
        let (place, path) = (place.clone(), path.cloned());
        Box::pin(async move { self.with(&place, move |place| place.list(path.as_ref())).await })
    }

    fn metadata(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Option<FileEntry>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(async move { self.with(&place, move |place| place.metadata(&path)).await })
    }

    fn media_type(&self, beginning: &[u8]) -> Option<&'static str> {
        infer::get(beginning).map(|kind| kind.mime_type())
    }
}

impl std::fmt::Debug for LocalFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalFiles").field("root", &self.root).finish_non_exhaustive()
    }
}
