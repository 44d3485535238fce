//! The state of a repository, as `git status --porcelain=v2` writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The branch that is checked out; absent if none is.
    pub branch: Option<String>,
    /// The commit that is checked out; absent before the first.
    pub commit: Option<String>,
    /// The branch that it follows.
    pub upstream: Option<String>,
    /// How many commits it has that the other lacks.
    pub ahead: u64,
    /// How many commits it lacks that the other has.
    pub behind: u64,
    /// What was changed and not committed.
    pub changes: Vec<FileChange>,
    /// How many more changes there are.
    pub more: usize,
}

/// A file that was changed and not committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// The file.
    pub path: String,
    /// What will be committed next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<Change>,
    /// What will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unstaged: Option<Change>,
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new, and git does not know it.
    Untracked,
    /// It is new.
    Added,
    /// It says something else.
    Modified,
    /// It is gone.
    Deleted,
    /// It is another kind of file, such as a link.
    TypeChanged,
    /// Two sides changed it, and nobody has decided.
    Conflict,
}

impl Status {
    /// Reads a state, with so many changes at most. It is written with `-z --branch --no-renames`.
    pub(crate) fn read(output: &[u8], most: usize) -> Self {
        let mut status = Self::default();
        for line in String::from_utf8_lossy(output).split('\0') {
            if let Some(header) = line.strip_prefix("# branch.") {
                status.header(header);
            } else if let Some(change) = change(line) {
                match status.changes.len() < most {
                    true => status.changes.push(change),
                    false => status.more += 1,
                }
            }
        }
        status
    }

    fn header(&mut self, header: &str) {
        let told = |value: &str| (!value.starts_with('(')).then(|| value.to_owned());
        match header.split_once(' ') {
            Some(("oid", value)) => self.commit = told(value),
            Some(("head", value)) => self.branch = told(value),
            Some(("upstream", value)) => self.upstream = told(value),
            Some(("ab", value)) => {
                let mut numbers = value.split(' ').filter_map(|number| number.get(1..)?.parse().ok());
                (self.ahead, self.behind) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            }
            _ => {}
        }
    }
}

fn change(line: &str) -> Option<FileChange> {
    let (kind, rest) = line.split_once(' ')?;
    let change = |path: &str, staged, unstaged| Some(FileChange { path: path.to_owned(), staged, unstaged });
    match kind {
        "?" => change(rest, None, Some(Change::Untracked)),
        // `XY sub mH mI mW hH hI path`
        "1" => change(rest.splitn(8, ' ').nth(7)?, what(rest.chars().next()?), what(rest.chars().nth(1)?)),
        // `XY sub m1 m2 m3 mW h1 h2 h3 path`
        "u" => change(rest.splitn(10, ' ').nth(9)?, None, Some(Change::Conflict)),
        _ => None,
    }
}

fn what(letter: char) -> Option<Change> {
    match letter {
        'A' => Some(Change::Added),
        'D' => Some(Change::Deleted),
        'T' => Some(Change::TypeChanged),
        '.' => None,
        _ => Some(Change::Modified),
    }
}
