//! The policy in the build step: where the file is, and what is wrong with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{FILE, Policy};
use crate::manifest::Manifest;

/// Reads the policy of the package in a directory and compares what is linked with it. Returns the policy as JSON, `null` if there is none.
///
/// Cargo is told to look again when the file changes. One that is not there yet has to be noticed when it is made, so without a policy
/// Cargo runs the build step every time.
///
/// # Errors
///
/// Everything that is wrong, as lines to print.
pub(crate) fn checked(package: &Path, manifest: &Manifest) -> Result<String, Vec<String>> {
    let file = find(package).unwrap_or_else(|| package.join(FILE));
    println!("cargo::rerun-if-changed={}", file.display());
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok("null".to_owned()),
        Err(error) => return Err(vec![format!("{} cannot be read: {error}", file.display())]),
    };
    let policy = Policy::parse(&text).map_err(|error| error.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let findings = policy.check(manifest);
    if findings.is_empty() {
        return Ok(serde_json::to_string(&policy).expect("every key of a policy is text"));
    }
    Err(findings.iter().flat_map(|finding| [finding.to_string(), format!("  {}", finding.hint)]).collect())
}

/// Looks for the file beside the package's `Cargo.toml`, and then upwards as far as its workspace reaches. The nearest counts.
fn find(package: &Path) -> Option<PathBuf> {
    let own = package.join(FILE);
    if own.is_file() {
        return Some(own);
    }
    let is_root = |directory: &&Path| {
        fs::read_to_string(directory.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("[workspace")))
    };
    let root = package.ancestors().find(is_root)?;
    let between = package.ancestors().skip(1).take_while(|directory| directory.starts_with(root));
    between.map(|directory| directory.join(FILE)).find(|file| file.is_file())
}
