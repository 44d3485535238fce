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
//! | `manifest.section` | the same, as [`embed_manifest!`](crate::embed_manifest) puts it into the program |
//! | `policy.json` | the [policy] that was checked, which goes into the program with the manifest |
//! | `schemas/policy.schema.json` | the JSON Schema of `nekro.policy.toml`, for exactly these plugins |
//! | `schemas/config.schema.json` | the JSON Schema of the table `plugins` of `nekro.toml`, for exactly these plugins |
//! | `schemas/tools/<tool>.arguments.json`, `….result.json` | one tool |
//! | `schemas/events/<event>.json` | one event |
//!
//! This module alone writes files, and is compiled for build scripts only.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process,
};

use crate::{
    kernel::Registry,
    manifest::{Manifest, section},
    plugin::PluginDecl,
    policy,
};

/// Checks the plugins of a bundle and writes what the program and its tools need to know of them. If they do not fit together, the build
/// fails with what to do.
pub fn write(bundle: &[&'static PluginDecl]) {
    // Cargo runs a build script again when it was linked anew, which every change of a plugin leads to. Without any such line it would
    // also do so for every other file of the package; this variable is nobody's.
    println!("cargo::rerun-if-env-changed=NEKRO_BUILD");
    let problems = match Registry::of_bundle(bundle) {
        Ok(registry) => match env::var_os("OUT_DIR").map(PathBuf::from) {
            Some(directory) => match check_and_write(&directory, &registry.manifest()) {
                Ok(()) => return,
                Err(problems) => problems,
            },
            None => vec!["`nekro_core::build::write` is called in a `build.rs`: there is no `OUT_DIR` here".to_owned()],
        },
        Err(error) => error.problems.iter().flat_map(|problem| [problem.to_string(), format!("  {}", problem.hint())]).collect(),
    };
    for problem in problems {
        println!("cargo::error={problem}");
    }
    process::exit(1);
}

fn check_and_write(directory: &Path, manifest: &Manifest) -> Result<(), Vec<String>> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let policy = policy::checked(&package, manifest)?;
    write_files(directory, manifest, policy)
        .map_err(|(file, error)| vec![format!("{} cannot be written: {error}", file.display())])
}

fn write_files(directory: &Path, manifest: &Manifest, policy: String) -> Result<(), (PathBuf, io::Error)> {
    let schemas = manifest.schema_files();
    let json = serde_json::to_string_pretty(manifest).expect("every key of a manifest is text") + "\n";
    let mut files = BTreeMap::from([
        (directory.join("manifest.json"), json.into_bytes()),
        (directory.join("manifest.section"), section(manifest)),
        (directory.join("policy.json"), policy.into_bytes()),
    ]);
    files.extend(schemas.into_iter().map(|(name, text)| (directory.join("schemas").join(name), text.into_bytes())));
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
