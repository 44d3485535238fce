//! `nekro schema`

use std::{collections::BTreeMap, fs, io, path::Path};

use nekro_core::kernel::Registry;
use serde_json::json;

use super::{Failure, Screen};

/// Writes the schema files, and leaves those alone that are current.
pub(super) fn write(registry: &Registry, directory: &Path, screen: &Screen) -> Result<(), Failure> {
    let files = registry.manifest().schema_files();
    let different = compare(&files, directory)?;
    for name in different.iter().filter(|difference| difference.state != State::Superfluous).map(|difference| &difference.name) {
        let file = directory.join(name);
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, &files[name]));
        written.map_err(|error| Failure::work(format!("{} cannot be written: {error}", file.display())))?;
    }
    let (superfluous, written): (Vec<_>, Vec<_>) = different.iter().partition(|one| one.state == State::Superfluous);
    let names = |of: &[&Difference]| of.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    screen.show(&json!({ "files": files.len(), "written": names(&written), "superfluous": names(&superfluous) }), || {
        let mut text = format!("{} of {} files were written to {}", written.len(), files.len(), directory.display());
        for one in &superfluous {
            text += &format!("\n{} describes nothing that is linked: delete it", directory.join(&one.name).display());
        }
        text
    });
    Ok(())
}

/// Fails if the files are not current.
pub(super) fn check(registry: &Registry, directory: &Path, screen: &Screen) -> Result<(), Failure> {
    let files = registry.manifest().schema_files();
    let different = compare(&files, directory)?;
    if different.is_empty() {
        screen.show(&json!({ "files": files.len() }), || format!("{} files are current", files.len()));
        return Ok(());
    }
    let lines = different.iter().map(|one| format!("\n  - {} {}", directory.join(&one.name).display(), one.state.words()));
    let out = directory.display();
    Err(Failure::work(format!("the schemas are not current{}", lines.collect::<String>()))
        .with_hint(format!("`nekro schema --out {out}` writes them; commit what it wrote")))
}

/// A file that is not as it should be.
#[derive(Debug)]
struct Difference {
    name: String,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Missing,
    Different,
    Superfluous,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::Different => "is different",
            Self::Superfluous => "describes nothing that is linked: delete it",
        }
    }
}

fn compare(files: &BTreeMap<String, String>, directory: &Path) -> Result<Vec<Difference>, Failure> {
    let mut found = Vec::new();
    for (name, text) in files {
        let state = match fs::read(directory.join(name)) {
            // A checkout on Windows may have other line ends.
            Ok(old) if String::from_utf8_lossy(&old).replace("\r\n", "\n") == *text => continue,
            Ok(_) => State::Different,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::Missing,
            Err(error) => return Err(Failure::work(format!("{} cannot be read: {error}", directory.join(name).display()))),
        };
        found.push(Difference { name: name.clone(), state });
    }
    for folder in ["tools", "events"] {
        let entries = fs::read_dir(directory.join(folder)).into_iter().flatten().filter_map(Result::ok);
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let json = names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"));
        let superfluous = json.map(|name| format!("{folder}/{name}")).filter(|name| !files.contains_key(name));
        found.extend(superfluous.map(|name| Difference { name, state: State::Superfluous }));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
