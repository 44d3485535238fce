//! The build step of an agent: its `build.rs` links the same bundle as the agent, and this reads what registered.
//!
//! ```no_run
//! // build.rs, with the bundle and `nekro-core` (feature `build`) under `[build-dependencies]`
//! # mod my_bundle { pub const PLUGINS: &[&nekro_core::PluginDecl] = &[]; }
//! fn main() {
//!     nekro_core::build::write(my_bundle::PLUGINS)
//! }
//! ```
//!
//! Plugins that do not fit together, or that ask for more than `nekro.policy.toml` allows, are a build error. Otherwise `OUT_DIR` holds:
//!
//! | file | what |
//! |---|---|
//! | `manifest.json` | the [manifest](crate::manifest) |
//! | `provenance.json` | the packages that the program is built from, and what the plugins' sources say: [`Provenance`] |
//! | `manifest.section` | both, as [`embed_manifest!`](crate::embed_manifest) puts them into the program |
//! | `policy.json` | the [policy] that was checked, which goes into the program with the manifest |
//! | `schemas/policy.schema.json` | the JSON Schema of `nekro.policy.toml`, for exactly these plugins |
//! | `schemas/config.schema.json` | the JSON Schema of the table `plugins` of `nekro.toml`, for exactly these plugins |
//! | `schemas/tools/<tool>.arguments.json`, `….result.json` | one tool |
//! | `schemas/events/<event>.json` | one event |
//!
//! The packages are those that Cargo lists for `cargo build` of the agent's package with the features and the target of this build. Where there
//! is no Cargo to ask, `NEKRO_PROVENANCE=none` builds a program that does not know its packages.
//!
//! This module alone writes files, and is compiled for build scripts only.

mod lockfile;
mod packages;
mod provenance;
mod source;

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process,
};

use crate::{
    kernel::{Registry, RegistryError},
    manifest::{MAX_SECTION, Manifest, Provenance, section},
    plugin::PluginDecl,
    policy,
};

/// Checks the plugins of a bundle and writes what the program and its tools need to know of them. If they do not fit together, the build
/// fails with what to do.
pub fn write(bundle: &[&'static PluginDecl]) {
    let Err(problems) = try_write(bundle) else { return };
    for problem in problems {
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
    }
    process::exit(1);
}

/// Returns everything that is wrong, as lines to print.
fn try_write(bundle: &[&'static PluginDecl]) -> Result<(), Vec<String>> {
    let problems = |error: RegistryError| {
        let lines = error.problems.iter().flat_map(|problem| [problem.to_string(), format!("  {}", problem.hint())]);
        lines.collect::<Vec<_>>()
    };
    let manifest = Registry::of_bundle(bundle).map_err(problems)?.manifest();
    let directory = env::var_os("OUT_DIR").map(PathBuf::from);
    let directory = directory
        .ok_or_else(|| vec!["`nekro_core::build::write` is called in a `build.rs`: there is no `OUT_DIR` here".to_owned()])?;
    // Cargo runs a build script again when it was linked anew, which every change of a plugin leads to, and when one of the files changed
    // that say which packages there are, and what they may do.
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let policy = policy::checked(&package, &manifest)?;
    let provenance = provenance::read(bundle)?;
    let mut whole = section(&manifest);
    whole.extend(provenance.as_ref().map(Provenance::section).unwrap_or_default());
    if whole.len() > MAX_SECTION {
        return Err(vec![format!("the manifest has {} bytes, and may have {MAX_SECTION}: link fewer plugins", whole.len())]);
    }
    let mut files = described(&manifest, provenance.as_ref());
    files.insert("manifest.section".into(), whole);
    files.insert("policy.json".into(), policy.into_bytes());
    write_files(&directory, files).map_err(|(file, error)| vec![format!("{} cannot be written: {error}", file.display())])
}

/// What is written of the plugins, by the names of the files.
fn described(manifest: &Manifest, provenance: Option<&Provenance>) -> BTreeMap<PathBuf, Vec<u8>> {
    let json = serde_json::to_string_pretty(manifest).expect("every key of a manifest is text") + "\n";
    let sources = serde_json::to_string_pretty(&provenance).expect("every key is text") + "\n";
    let schemas = manifest.schema_files().into_iter().map(|(name, text)| (Path::new("schemas").join(name), text.into_bytes()));
    let own = [("manifest.json".into(), json.into_bytes()), ("provenance.json".into(), sources.into_bytes())];
    schemas.chain(own).collect()
}

/// Writes the files, and removes the schemas of an earlier build that are none of them.
fn write_files(directory: &Path, files: BTreeMap<PathBuf, Vec<u8>>) -> Result<(), (PathBuf, io::Error)> {
    let files: BTreeMap<_, _> = files.into_iter().map(|(name, content)| (directory.join(name), content)).collect();
    for old in ["tools", "events"].iter().flat_map(|folder| fs::read_dir(directory.join("schemas").join(folder))) {
        for file in old.filter_map(Result::ok).map(|entry| entry.path()).filter(|file| !files.contains_key(file)) {
            fs::remove_file(&file).map_err(|error| (file, error))?;
        }
    }
    files.into_iter().try_for_each(|(file, content)| write_if_changed(&file, &content).map_err(|error| (file, error)))
}

/// Leaves a file alone that says this already: its time of change makes Cargo compile again.
fn write_if_changed(file: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(());
    }
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(file, content)
}
