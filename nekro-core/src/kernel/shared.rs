//! Files of plugins that MCP clients are shown: `#[plugin(resources = […])]`.
//!
//! The host reads them itself, by the port. What is listed can be read, and nothing else: both ask [`Kernel::shows_file`].

use super::{Kernel, PluginEntry};
use crate::{
    caller::{Caller, Role},
    capability::{FileEntry, FileKind, FilePlace, FilesPort, RESOURCES, SandboxPath, beginning, shows},
    error::{Error, Result},
    plugin::PluginDecl,
    web::media_type,
};

/// A file that a caller is shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SharedFile {
    /// Whose it is.
    pub plugin: &'static PluginDecl,
    /// Where it is, and how long.
    pub entry: FileEntry,
    /// What it is, by the end of its name.
    pub media_type: &'static str,
}

impl Kernel {
    /// Returns the entries by which plugins show a caller files: of plugins that run and take part in the caller's conversation, and
    /// only to callers with the role `user`. One that is another in each conversation has none without a conversation.
    pub fn shown_places(&self, caller: &Caller) -> impl Iterator<Item = (&'static PluginDecl, &'static str)> {
        let plugins = self.registry().plugins().iter().enumerate().filter(|(at, entry)| self.shows_files(*at, entry, caller));
        let places = plugins.flat_map(|(_, entry)| entry.decl.scope(RESOURCES.name).iter().map(|place| (entry.decl, *place)));
        places.filter(|(_, place)| beginning(place, caller.session.as_ref()).is_some())
    }

    /// Tells whether a caller is shown a file, if it is there.
    pub fn shows_file(&self, plugin: &str, path: &SandboxPath, caller: &Caller) -> bool {
        let session = caller.session.as_ref();
        self.shown_places(caller).any(|(decl, place)| decl.id == plugin && shows(place, path, session))
    }

    /// Lists the files that a caller is shown, of each plugin by name. Of one plugin that many are listed at most.
    ///
    /// What cannot be listed at the moment is left out, and told in the log.
    pub async fn shared_files(&self, caller: &Caller, most: usize) -> Vec<SharedFile> {
        let places: Vec<_> = self.shown_places(caller).collect();
        let Ok(port) = self.ports().get::<dyn FilesPort>() else { return Vec::new() };
        let mut files: Vec<SharedFile> = Vec::new();
        for of_plugin in places.chunk_by(|(one, _), (other, _)| one.id == other.id) {
            let (decl, mut found) = (of_plugin[0].0, Vec::new());
            for (_, place) in of_plugin {
                if let Err(error) = find(&**port, decl, place, caller, most, &mut found).await {
                    tracing::warn!(plugin = decl.id, place, "the files that it shows cannot be listed: {error}");
                }
            }
            found.sort_by(|one, other| one.path.cmp(&other.path));
            found.dedup_by(|one, other| one.path == other.path);
            found.truncate(most);
            let of = |entry: FileEntry| SharedFile { plugin: decl, media_type: media_type(entry.path.name()), entry };
            files.extend(found.into_iter().map(of));
        }
        files
    }

    /// Reads a file that a caller is shown, with what it is: by its content where that says it, else by the end of its name.
    ///
    /// # Errors
    ///
    /// `not_found`, also for one that the caller is not shown; `too_large`; and as [`FilesPort`] says.
    pub async fn read_shared(
        &self,
        plugin: &str,
        path: &SandboxPath,
        caller: &Caller,
        most_bytes: u64,
    ) -> Result<(Vec<u8>, &'static str)> {
        let missing = || Error::new(format!("there is no file `{path}`")).with_code("not_found");
        if !self.shows_file(plugin, path, caller) {
            return Err(missing());
        }
        let (port, place) = (self.ports().get::<dyn FilesPort>()?, FilePlace::Own(plugin.into()));
        let entry = port.metadata(&place, path).await?.filter(|entry| entry.kind == FileKind::File).ok_or_else(missing)?;
        let too_large = |bytes: u64| {
            Error::new(format!("`{path}` has {bytes} bytes, and {most_bytes} are read at most")).with_code("too_large")
        };
        if entry.bytes > most_bytes {
            return Err(too_large(entry.bytes));
        }
        let bytes = port.read(&place, path).await?;
        // It may have grown meanwhile.
        if bytes.len() as u64 > most_bytes {
            return Err(too_large(bytes.len() as u64));
        }
        let by_name = || match media_type(path.name()) {
            "application/octet-stream" if std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0')) => "text/plain",
            by_name => by_name,
        };
        let media_type = port.media_type(&bytes).unwrap_or_else(by_name);
        Ok((bytes, media_type))
    }

    fn shows_files(&self, at: usize, entry: &PluginEntry, caller: &Caller) -> bool {
        !entry.decl.scope(RESOURCES.name).is_empty()
            && caller.role >= Role::User
            && !self.live().halted
            && self.running(at, caller.session.as_ref()).is_some()
            && self.is_present(entry.decl.id, None, caller)
    }
}

/// Adds the files of one entry, until there are that many.
async fn find(
    port: &dyn FilesPort,
    plugin: &'static PluginDecl,
    shown: &str,
    caller: &Caller,
    most: usize,
    found: &mut Vec<FileEntry>,
) -> Result<()> {
    let session = caller.session.as_ref();
    let Some((begin, has_names)) = beginning(shown, session) else { return Ok(()) };
    let place = FilePlace::Own(plugin.id.into());
    let is_directory = match &begin {
        Some(path) => match port.metadata(&place, path).await? {
            Some(entry) if entry.kind == FileKind::File => {
                found.extend(Some(entry).filter(|entry| shows(shown, &entry.path, session)));
                false
            }
            entry => entry.is_some(),
        },
        None => true,
    };
    let mut open = if is_directory { vec![begin] } else { Vec::new() };
    while let Some(directory) = open.pop() {
        let entries = match port.list(&place, directory.as_ref()).await {
            // Somebody removed it since.
            Err(error) if error.code() == "not_found" => continue,
            entries => entries?,
        };
        for entry in entries {
            match entry.kind {
                FileKind::Directory if !has_names => open.push(Some(entry.path)),
                FileKind::File if shows(shown, &entry.path, session) => found.push(entry),
                _ => {}
            }
        }
        if found.len() >= most {
            break;
        }
    }
    Ok(())
}
