//! Files on a disk, with everything on it by which a path could be led astray.

mod behaviour;
mod escape;

use std::{path::Path, sync::Arc};

use nekro_core::{ConfigDecl, Files, Folder, Location, PluginDecl, ScopeDecl};
use tempfile::TempDir;

use super::{FilesSettings, LocalFiles};

/// A directory with `outside/secret.txt` in it, and below `files` what the agent keeps.
struct World {
    place: TempDir,
    port: Arc<LocalFiles>,
}

impl World {
    fn new() -> Self {
        Self::with(&FilesSettings::default())
    }

    fn with(settings: &FilesSettings) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(place.path().join("outside")).expect("a directory");
        std::fs::write(place.path().join("outside/secret.txt"), "secret").expect("a file");
        let port = Arc::new(LocalFiles::new(place.path().join("files"), settings));
        Self { place, port }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.place.path().join(path)
    }

    fn files(&self) -> Files {
        Files::new(plugin("diary", &[]), Some("Room 1".into()), Arc::clone(&self.port) as _)
    }

    /// The plugin's own directory, as it sees it and as it is on the disk.
    fn own(&self) -> (Folder, std::path::PathBuf) {
        let path = self.path("files/plugins/diary");
        std::fs::create_dir_all(&path).expect("a directory");
        (self.files().own(), path)
    }

    fn outside_is_untouched(&self) -> bool {
        let outside: Vec<_> = std::fs::read_dir(self.path("outside")).expect("a directory").flatten().collect();
        outside.len() == 1 && std::fs::read_to_string(self.path("outside/secret.txt")).is_ok_and(|text| text == "secret")
    }
}

fn plugin(id: &'static str, directories: &[&Path]) -> &'static PluginDecl {
    let text = |path: &&Path| -> &'static str { Box::leak(path.to_str().expect("text").to_owned().into_boxed_str()) };
    let entries: Vec<_> = directories.iter().map(text).collect();
    Box::leak(Box::new(PluginDecl {
        id,
        docs: "",
        title: None,
        category: None,
        version: "1.0.0",
        authors: "",
        license: "",
        repository: "",
        package: "diary",
        requires: &[],
        scopes: Box::leak(Box::new([ScopeDecl { capability: "files", entries: Box::leak(entries.into_boxed_slice()) }])),
        migrations: &[],
        location: Location { file: "lib.rs", line: 1 },
        config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
    }))
}
