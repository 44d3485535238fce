//! Reads git repositories that the operator names. It changes nothing, and runs nothing that a repository brings along.

#![forbid(unsafe_code)]

mod blame;
mod commit;
mod cut;
mod directory;
mod environment;
mod name;
mod repository;
mod status;
mod tree;

use std::collections::BTreeMap;

use nekro_core::prelude::*;

pub use crate::{
    blame::BlamedLines,
    commit::Commit,
    name::{FilePath, Revision},
    status::{Change, FileChange, Status},
    tree::{TreeEntry, TreeKind},
};
use crate::{
    directory::Directory,
    repository::{Repository, Settings},
};

/// Reads git repositories that the operator names: their state, history, differences and files.
#[plugin(category = "development", process = ["git"])]
#[serde(default)]
pub struct Git {
    /// The repositories: a name that people and models use, and the directory, such as `site = "/srv/site"`.
    repositories: BTreeMap<String, Directory>,
    /// The most characters of a difference or a file that are returned at once.
    #[schemars(range(min = 1_000, max = 500_000))]
    max_characters: usize,
    /// The most bytes of a file that is read.
    #[schemars(range(min = 1_000, max = 10_000_000))]
    max_file_bytes: u64,
}

impl Default for Git {
    fn default() -> Self {
        Self { repositories: BTreeMap::new(), max_characters: 30_000, max_file_bytes: 1_000_000 }
    }
}

/// The most entries of a list that are returned at once.
const MOST_ENTRIES: usize = 500;

/// The commits of a history, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether older ones follow.
    pub more: bool,
}

/// A commit, and what it changed against its first parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The commit.
    #[serde(flatten)]
    pub commit: Commit,
    /// What it changed: a summary by file, and the differences.
    pub changes: String,
    /// How many characters of the changes were left out; a `path` leaves fewer.
    pub left_out: usize,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// A summary by file, and the differences; empty if there are none.
    pub changes: String,
    /// How many characters were left out; a `path` leaves fewer.
    pub left_out: usize,
}

/// The files and directories of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// What is in it, in order.
    pub entries: Vec<TreeEntry>,
    /// How many more there are.
    pub more: usize,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The commit that it was read at.
    pub commit: String,
    /// The lines.
    pub text: String,
    /// The number of the first of them.
    pub first_line: usize,
    /// How many lines the file has.
    pub lines: usize,
    /// How many characters of the lines that were asked for were left out.
    pub left_out: usize,
}

/// Lists the repositories that can be read, by their names.
#[tool(read_only, tags = ["git"])]
fn repositories(git: &Git) -> Vec<String> {
    git.repositories.keys().cloned().collect()
}

/// Returns the state of a repository: its branch, and what was changed and not committed.
#[tool(read_only, tags = ["git"])]
async fn status(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
) -> Result<Status> {
    let repository = git.open(process, repository).await?;
    repository.status(MOST_ENTRIES).await
}

/// Returns the history of a repository: commits with who made them, when, and why, newest first.
#[tool(read_only, tags = ["git", "history"])]
async fn log(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// A branch, a tag or a commit to begin at; left out, what is checked out.
    revision: Option<Revision>,
    /// A file or directory; only commits that changed it are listed.
    path: Option<FilePath>,
    /// A part of the author's name or address.
    author: Option<String>,
    /// A text that occurs in the message.
    text: Option<String>,
    /// How many newer commits to leave out.
    #[arg(default = 0, range = 0..=1_000_000)]
    skip: u32,
    /// How many commits at most.
    #[arg(default = 20, range = 1..=200)]
    limit: usize,
) -> Result<Log> {
    let repository = git.open(process, repository).await?;
    let commit = repository.resolve(revision.as_ref()).await?;
    let mut command = repository.command("log").args(commit::FORMAT).arg("--fixed-strings").arg("--regexp-ignore-case");
    // One more than wanted tells whether there are more.
    command = command.arg(format!("--max-count={}", limit + 1)).arg(format!("--skip={skip}"));
    command = command.args(author.map(|author| format!("--author={author}")));
    command = command.args(text.map(|text| format!("--grep={text}")));
    let output = repository.run(command.arg(commit).arg("--").args(path.map(String::from))).await?;
    let mut commits = commit::read_all(&output);
    let more = commits.len() > limit;
    commits.truncate(limit);
    Ok(Log { commits, more })
}

/// Shows a commit: who made it, why, and what it changed.
#[tool(read_only, tags = ["git", "history"])]
async fn show(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// A branch, a tag or a commit; left out, what is checked out.
    revision: Option<Revision>,
    /// A file or directory that the changes are limited to.
    path: Option<FilePath>,
) -> Result<Shown> {
    let repository = git.open(process, repository).await?;
    let hash = repository.resolve(revision.as_ref()).await?;
    let about = repository.run(repository.command("show").args(commit::FORMAT).arg("--no-patch").arg(&hash).arg("--")).await?;
    let commit = commit::read_all(&about).into_iter().next().ok_or_else(|| Error::new(format!("git shows nothing of {hash}")))?;
    let changes = repository.command("show").args(["--format=", "--diff-merges=first-parent"]).args(repository::AS_TEXT);
    let changes = changes.arg(&hash).arg("--").args(path.map(String::from));
    let (changes, left_out) = repository.beginning(changes, git.max_characters).await?;
    Ok(Shown { commit, changes, left_out })
}

/// Returns what differs: between two revisions, or between one and the files as they are on the disk.
#[tool(read_only, tags = ["git"])]
async fn diff(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// The older side: a branch, a tag or a commit; left out, what is checked out.
    from: Option<Revision>,
    /// The newer side; left out, the files as they are, with what was not committed.
    to: Option<Revision>,
    /// A file or directory that the differences are limited to.
    path: Option<FilePath>,
) -> Result<Difference> {
    let repository = git.open(process, repository).await?;
    let mut sides = vec![repository.resolve(from.as_ref()).await?];
    let command = match to {
        Some(to) => {
            sides.push(repository.resolve(Some(&to)).await?);
            repository.command("diff")
        }
        None => repository.command_on_files("diff").await?,
    };
    let command = command.args(repository::AS_TEXT).args(sides).arg("--").args(path.map(String::from));
    let (changes, left_out) = repository.beginning(command, git.max_characters).await?;
    Ok(Difference { changes, left_out })
}

/// Tells of each line of a file which commit brought it.
#[tool(read_only, tags = ["git", "history"])]
async fn blame(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// The file.
    path: FilePath,
    /// A branch, a tag or a commit; left out, what is checked out.
    revision: Option<Revision>,
    /// The first line.
    #[arg(default = 1, range = 1..=10_000_000)]
    first_line: usize,
    /// How many lines at most.
    #[arg(default = 100, range = 1..=500)]
    lines: usize,
) -> Result<Vec<BlamedLines>> {
    let repository = git.open(process, repository).await?;
    let commit = repository.resolve(revision.as_ref()).await?;
    repository.file(&commit, &path).await?;
    let command = repository.command("blame").args(["--porcelain", "--no-textconv", "-L"]);
    let command = command.arg(format!("{first_line},+{lines}")).arg(commit).arg("--").arg(path.clone());
    let output = command.run().await?;
    if output.code != Some(0) {
        // What git says is not told: it may quote a file of the machine that the repository names in `blame.ignoreRevsFile`.
        return Err(Error::new(format!("git tells nothing of line {first_line} of `{path}`"))
            .with_code("no_lines")
            .with_hint("the file may be shorter: `git.read` tells how many lines it has"));
    }
    Ok(blame::read(&repository::whole(output)?))
}

/// Lists the files and directories of a repository, as they were at a revision.
#[tool(read_only, tags = ["git"])]
async fn files(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// The directory; left out, the uppermost one.
    directory: Option<FilePath>,
    /// A branch, a tag or a commit; left out, what is checked out.
    revision: Option<Revision>,
    /// Whether to list everything below it too.
    #[arg(default = false)]
    recursive: bool,
) -> Result<Listing> {
    let repository = git.open(process, repository).await?;
    let commit = repository.resolve(revision.as_ref()).await?;
    let tree = match &directory {
        None => commit,
        Some(path) => repository.directory(&commit, path).await?,
    };
    let below = directory.map_or_else(String::new, |path| format!("{path}/"));
    let command = repository.command("ls-tree").args(["-z", "--long", "--full-tree"]).args(recursive.then_some("-r"));
    let mut entries = tree::read_all(&repository.run(command.arg(tree)).await?, &below);
    let more = entries.len().saturating_sub(MOST_ENTRIES);
    entries.truncate(MOST_ENTRIES);
    Ok(Listing { entries, more })
}

/// Reads a file of a repository, as it was at a revision.
#[tool(read_only, tags = ["git"])]
async fn read(
    process: &Process,
    git: &Git,
    /// The repository's name; may be left out if there is only one.
    repository: Option<String>,
    /// The file.
    path: FilePath,
    /// A branch, a tag or a commit; left out, what is checked out.
    revision: Option<Revision>,
    /// The first line.
    #[arg(default = 1, range = 1..=10_000_000)]
    first_line: usize,
    /// How many lines at most.
    #[arg(default = 500, range = 1..=5_000)]
    lines: usize,
) -> Result<Part> {
    let repository = git.open(process, repository).await?;
    let commit = repository.resolve(revision.as_ref()).await?;
    let text = repository.read(&commit, &path, git.max_file_bytes).await?;
    let wanted: Vec<_> = text.lines().skip(first_line - 1).take(lines).collect();
    let (part, left_out) = cut::beginning(wanted.join("\n").as_bytes(), git.max_characters);
    Ok(Part { commit, text: part, first_line, lines: text.lines().count(), left_out })
}

impl Git {
    /// Opens a repository by its name, or the only one.
    async fn open<'a>(&'a self, process: &'a Process, name: Option<String>) -> Result<Repository<'a>> {
        let found = match &name {
            Some(name) => self.repositories.get_key_value(name),
            None if self.repositories.len() == 1 => self.repositories.first_key_value(),
            None => None,
        };
        let (name, directory) = found.ok_or_else(|| {
            let names: Vec<_> = self.repositories.keys().map(|name| format!("`{name}`")).collect();
            let (message, code) = match name {
                Some(name) => (format!("no repository is called `{name}`"), "not_found"),
                None if names.is_empty() => ("there are no repositories".to_owned(), "not_found"),
                None => ("it is not said which repository is meant".to_owned(), "ambiguous"),
            };
            let hint = match names.is_empty() {
                true => "the operator names them in `plugins.git.repositories`".to_owned(),
                false => format!("one of {}", names.join(", ")),
            };
            Error::new(message).with_code(code).with_hint(hint)
        })?;
        Repository::open(process, Settings { name, directory }).await
    }
}
