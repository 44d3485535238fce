//! Files: in the plugin's own directory, in the one that the conversation shares, and in those that the plugin declares.

mod data_url;
mod memory;
mod path;
mod shared;
mod source;

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::shared::Tell;
pub(crate) use self::shared::{RESOURCES, beginning, shows};
pub use self::{
    memory::MemoryFiles,
    path::{PathError, SandboxPath},
    source::{FileSource, TakenFile},
};
use super::CapabilityDecl;
use crate::{
    Timestamp,
    call::{BoxFuture, Call},
    error::{Error, Result},
    event::facts::FileChange,
    ids::{PluginId, SessionId},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Files: in the plugin's own directory, and in the one that a conversation shares with all plugins and with the code that its model
/// writes. No path leads out of them: no `..`, no link, no device. Sizes and counts are limited (`[files]` in the settings).
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Keeps a diary.
/// #[plugin(id = "diary")]
/// pub struct Diary;
///
/// /// Writes a line into the diary, and returns the whole of it.
/// #[tool]
/// async fn note(
///     files: &Files,
///     /// What happened.
///     line: String,
/// ) -> Result<String> {
///     files.own().append("diary.txt", format!("{line}\n")).await?;
///     files.own().read_text("diary.txt").await
/// }
///
/// /// Counts the words of a file that somebody sent.
/// #[tool]
/// async fn words(
///     files: &Files,
///     /// The file, such as "report.txt".
///     file: SandboxPath,
/// ) -> Result<usize> {
///     Ok(files.exchange()?.read_text(&file).await?.split_whitespace().count())
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::of::<Diary>();
/// host.call("note", json!({ "line": "It rained." })).unwrap();
/// assert_eq!(host.call_as::<String>("note", json!({ "line": "Still." })).unwrap(), "It rained.\nStill.\n");
///
/// let files = host.files::<Diary>();
/// host.run(files.exchange().unwrap().write("report.txt", "all is well")).unwrap();
/// assert_eq!(host.call_as::<usize>("words", json!({ "file": "report.txt" })).unwrap(), 3);
/// assert_eq!(host.call("words", json!({ "file": "../secret" })).unwrap_err().code(), "invalid_arguments");
/// # }
/// ```
#[derive(Clone)]
pub struct Files {
    plugin: &'static PluginDecl,
    session: Option<SessionId>,
    port: Arc<dyn FilesPort>,
    tell: Option<Tell>,
}

/// One directory, with everything below it.
#[derive(Clone)]
pub struct Folder {
    place: FilePlace,
    port: Arc<dyn FilesPort>,
    tell: Option<Tell>,
}

/// Which directory is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FilePlace {
    /// A plugin's own.
    Own(PluginId),
    /// What a conversation shares.
    Exchange(SessionId),
    /// One of the machine, which the plugin declares by its absolute path.
    Declared(&'static str),
}

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FileEntry {
    /// Where it is.
    pub path: SandboxPath,
    /// What it is.
    pub kind: FileKind,
    /// How many bytes a file has; 0 for a directory.
    pub bytes: u64,
    /// When it was changed, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
}

impl FileEntry {
    /// Makes one of which it is not known when it was changed.
    pub fn new(path: SandboxPath, kind: FileKind, bytes: u64) -> Self {
        Self { path, kind, bytes, modified: None }
    }

    /// Says when it was changed.
    #[must_use]
    pub fn modified(mut self, at: Option<Timestamp>) -> Self {
        self.modified = at;
        self
    }
}

/// What a path leads to. Nothing else is ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteHow {
    /// As a whole or not at all, in place of what was there.
    Replace,
    /// The same, where nothing is.
    Create,
    /// At the end of what is there.
    Append,
}

/// Where files are. Implemented by the host; every implementation passes the same tests.
///
/// Errors have the codes `not_found`, `exists`, `not_a_file` (a directory, a link, a device), `not_a_directory`, `not_empty`,
/// `forbidden_path` (what leads out), `too_large` and `over_quota`.
pub trait FilesPort: Send + Sync {
    /// Reads a file.
    fn read(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Vec<u8>>>;

    /// Writes a file, with the directories above it.
    fn write(&self, place: &FilePlace, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> BoxFuture<'_, Result<FileEntry>>;

    /// Removes a file or an empty directory. Returns whether it was there.
    fn remove(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<bool>>;

    /// Lists what is in a directory, by name; without a path, in the place itself.
    fn list(&self, place: &FilePlace, path: Option<&SandboxPath>) -> BoxFuture<'_, Result<Vec<FileEntry>>>;

    /// Describes a file or a directory; `None` if it is not there.
    fn metadata(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Option<FileEntry>>>;

    /// Tells the media type from how a file begins, if the beginning is known.
    fn media_type(&self, beginning: &[u8]) -> Option<&'static str>;
}

impl Files {
    /// Makes a handle over a port.
    pub fn new(plugin: &'static PluginDecl, session: Option<SessionId>, port: Arc<dyn FilesPort>) -> Self {
        Self { plugin, session, port, tell: None }
    }

    /// Returns the plugin's own directory.
    pub fn own(&self) -> Folder {
        self.folder(FilePlace::Own(self.plugin.id.into()))
    }

    /// Returns the directory that the conversation of this call shares.
    ///
    /// # Errors
    ///
    /// `no_session` if the call belongs to no conversation.
    pub fn exchange(&self) -> Result<Folder> {
        let session = self.session.clone();
        let session =
            session.ok_or_else(|| Error::new("there is no conversation whose files could be used").with_code("no_session"))?;
        Ok(self.folder(FilePlace::Exchange(session)))
    }

    /// Returns a directory of the machine, which the plugin declares: `#[plugin(files = ["/srv/data"])]`.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if it does not.
    pub fn declared(&self, directory: &str) -> Result<Folder> {
        let declared = self.plugin.scope(FILES.name).iter().find(|declared| **declared == directory);
        let declared = declared.ok_or_else(|| {
            Error::new(format!("the plugin `{}` does not declare the directory `{directory}`", self.plugin.id))
                .with_code("out_of_scope")
                .with_hint(format!("its author adds {directory:?} to `files` in `#[plugin(files = […])]`"))
        })?;
        Ok(self.folder(FilePlace::Declared(declared)))
    }

    /// Tells the media type of a file from its content.
    pub fn media_type(&self, bytes: &[u8]) -> &'static str {
        self.port.media_type(bytes).unwrap_or_else(|| match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => "text/plain",
            _ => "application/octet-stream",
        })
    }

    fn folder(&self, place: FilePlace) -> Folder {
        Folder { place, port: Arc::clone(&self.port), tell: self.tell.clone() }
    }
}

/// What can be the path of a file: a [`SandboxPath`], or a text, which is checked.
pub trait AsSandboxPath {
    /// Returns the path.
    ///
    /// # Errors
    ///
    /// `bad_path` if it is not one.
    fn as_sandbox_path(&self) -> Result<SandboxPath>;
}

impl AsSandboxPath for SandboxPath {
    fn as_sandbox_path(&self) -> Result<SandboxPath> {
        Ok(self.clone())
    }
}

impl AsSandboxPath for str {
    fn as_sandbox_path(&self) -> Result<SandboxPath> {
        Ok(self.parse::<SandboxPath>()?)
    }
}

impl AsSandboxPath for String {
    fn as_sandbox_path(&self) -> Result<SandboxPath> {
        self.as_str().as_sandbox_path()
    }
}

impl<T: AsSandboxPath + ?Sized> AsSandboxPath for &T {
    fn as_sandbox_path(&self) -> Result<SandboxPath> {
        (**self).as_sandbox_path()
    }
}

impl Folder {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn read(&self, path: impl AsSandboxPath) -> Result<Vec<u8>> {
        self.port.read(&self.place, &path.as_sandbox_path()?).await
    }

    /// Reads a file of text in UTF-8.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says, and `not_text`.
    pub async fn read_text(&self, path: impl AsSandboxPath) -> Result<String> {
        let path = path.as_sandbox_path()?;
        let bytes = self.port.read(&self.place, &path).await?;
        String::from_utf8(bytes).map_err(|_| Error::new(format!("`{path}` is not text in UTF-8")).with_code("not_text"))
    }

    /// Writes a file as a whole or not at all, in place of what was there, with the directories above it.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn write(&self, path: impl AsSandboxPath, bytes: impl Into<Vec<u8>>) -> Result<FileEntry> {
        self.put(&path.as_sandbox_path()?, bytes.into(), WriteHow::Replace).await
    }

    /// Writes a file where nothing is.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says, `exists` if something is there.
    pub async fn create(&self, path: impl AsSandboxPath, bytes: impl Into<Vec<u8>>) -> Result<FileEntry> {
        self.put(&path.as_sandbox_path()?, bytes.into(), WriteHow::Create).await
    }

    /// Writes at the end of a file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn append(&self, path: impl AsSandboxPath, bytes: impl Into<Vec<u8>>) -> Result<FileEntry> {
        self.put(&path.as_sandbox_path()?, bytes.into(), WriteHow::Append).await
    }

    /// Removes a file or an empty directory. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn remove(&self, path: impl AsSandboxPath) -> Result<bool> {
        let path = path.as_sandbox_path()?;
        let was_there = self.port.remove(&self.place, &path).await?;
        if let Some(tell) = self.tell(&path).filter(|_| was_there) {
            tell.emit(&path, FileChange::Removed);
        }
        Ok(was_there)
    }

    /// Lists what is in this directory itself, by name.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn list(&self) -> Result<Vec<FileEntry>> {
        self.port.list(&self.place, None).await
    }

    /// Lists what is in a directory below, by name.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn list_in(&self, path: impl AsSandboxPath) -> Result<Vec<FileEntry>> {
        self.port.list(&self.place, Some(&path.as_sandbox_path()?)).await
    }

    /// Describes a file or a directory; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`] says.
    pub async fn metadata(&self, path: impl AsSandboxPath) -> Result<Option<FileEntry>> {
        self.port.metadata(&self.place, &path.as_sandbox_path()?).await
    }
}

impl Folder {
    async fn put(&self, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> Result<FileEntry> {
        let Some(tell) = self.tell(path) else { return self.port.write(&self.place, path, bytes, how).await };
        // Of what cannot be looked at, it is told that it is there: a list that is asked for once too often is none too few.
        let was_there = how != WriteHow::Create && matches!(self.port.metadata(&self.place, path).await, Ok(Some(_)));
        let written = self.port.write(&self.place, path, bytes, how).await?;
        tell.emit(path, if was_there { FileChange::Written } else { FileChange::Created });
        Ok(written)
    }

    /// Returns who tells of a change, if it concerns anybody.
    fn tell(&self, path: &SandboxPath) -> Option<&Tell> {
        self.tell.as_ref().filter(|tell| tell.concerns(&self.place, path))
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("plugin", &self.plugin.id).field("session", &self.session).finish_non_exhaustive()
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder").field(&self.place).finish()
    }
}

static FILES: CapabilityDecl = CapabilityDecl {
    name: "files",
    summary: "reads and writes files of its own and of the conversation, and in the directories that it declares",
    scope: None,
    provided: |ports| ports.has::<dyn FilesPort>(),
};

impl<P: Plugin> Lend<P> for Files {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&FILES);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn FilesPort>(&FILES, |gated| Arc::new(gated))?;
        let files = Self::new(call.plugin.decl(), call.caller.session.clone(), port);
        Ok(Loan::Handle(Self { tell: Tell::of(call), ..files }))
    }
}
