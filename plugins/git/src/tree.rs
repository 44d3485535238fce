//! Files and directories, as `git ls-tree` writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeEntry {
    /// Where it is in the repository.
    pub path: String,
    /// What it is.
    pub kind: TreeKind,
    /// How many bytes it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What git calls its content.
    #[serde(skip)]
    pub(crate) object: String,
}

/// What something in a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreeKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A link; its content is where it leads.
    Link,
    /// Another repository.
    Submodule,
}

/// Reads a list that was written with `-z --long`, of what lies below `below`.
pub(crate) fn read_all(output: &[u8], below: &str) -> Vec<TreeEntry> {
    String::from_utf8_lossy(output).split('\0').filter_map(|line| read(line, below)).collect()
}

/// Reads `100644 blob <object> <size>\t<path>`.
fn read(line: &str, below: &str) -> Option<TreeEntry> {
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split_whitespace();
    let (mode, kind, object, size) = (about.next()?, about.next()?, about.next()?, about.next()?);
    let kind = match (mode, kind) {
        ("120000", _) => TreeKind::Link,
        (_, "tree") => TreeKind::Directory,
        (_, "commit") => TreeKind::Submodule,
        _ => TreeKind::File,
    };
    Some(TreeEntry { path: format!("{below}{path}"), kind, bytes: size.parse().ok(), object: object.to_owned() })
}
