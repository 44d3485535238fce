//! The policy in the build step: where the file is, and what is wrong with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{FILE, Policy};
use crate::manifest::Manifest;

/// Reads the policy of the package in a directory and compares what is linked with it. Returns the policy as JSON, `null` if there is none.
///
/// Cargo is told to look again when the file changes. One that is not there yet has to be noticed when it is made, so while there is none,
/// or one that a nearer one would replace, Cargo runs the build step every time.
///
/// # Errors
///
/// Everything that is wrong, as lines to print.
pub(crate) fn checked(package: &Path, manifest: &Manifest) -> Result<String, Vec<String>> {
    let mut there = None;
    for file in places(package) {
        println!("cargo::rerun-if-changed={}", file.display());
        // A link to nowhere is there: whoever made it wants a policy.
        if fs::symlink_metadata(&file).is_ok() {
            there = Some(file);
            break;
        }
    }
    let Some(file) = there else { return Ok("null".to_owned()) };
    let text = fs::read_to_string(&file).map_err(|error| vec![format!("{} cannot be read: {error}", file.display())])?;
    let policy = Policy::parse(&text).map_err(|error| error.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let findings = policy.check(manifest);
    if findings.is_empty() {
        return Ok(serde_json::to_string(&policy).expect("every key of a policy is text"));
    }
    Err(findings.iter().flat_map(|finding| [finding.to_string(), format!("  {}", finding.hint)]).collect())
}

/// Returns where the file may be: beside the package's `Cargo.toml`, and then upwards as far as its workspace reaches. The nearest counts.
fn places(package: &Path) -> Vec<PathBuf> {
    let is_root = |directory: &&Path| {
        fs::read_to_string(directory.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("[workspace")))
    };
    let root = package.ancestors().find(is_root).unwrap_or(package);
    package.ancestors().take_while(|directory| directory.starts_with(root)).map(|directory| directory.join(FILE)).collect()
}
