//! Commits, as `git log` writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its number, by which it is named.
    pub hash: String,
    /// Who wrote it.
    pub author: String,
    /// When, such as `2030-01-01T12:00:00+01:00`.
    pub date: String,
    /// The commits that it follows; two or more for a merge.
    pub parents: Vec<String>,
    /// The first line of its message.
    pub title: String,
    /// The rest of its message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The options that write commits as [`read_all`] reads them. No part of a commit can have a null character.
pub(crate) const FORMAT: [&str; 4] = ["-z", "--no-notes", "--no-color", "--format=%H%x00%an <%ae>%x00%aI%x00%P%x00%s%x00%b"];

/// Reads commits.
pub(crate) fn read_all(output: &[u8]) -> Vec<Commit> {
    let text = String::from_utf8_lossy(output);
    let fields: Vec<_> = text.split('\0').collect();
    let commits = fields.chunks_exact(6).map(|commit| Commit {
        hash: commit[0].to_owned(),
        author: commit[1].to_owned(),
        date: commit[2].to_owned(),
        parents: commit[3].split_whitespace().map(str::to_owned).collect(),
        title: commit[4].to_owned(),
        message: commit[5].trim().to_owned(),
    });
    commits.collect()
}
