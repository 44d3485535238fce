//! One repository, and git at work in it.
//!
//! Every revision becomes the number of a commit first, and only such numbers, checked paths and words of ours reach git's other commands.

use nekro_core::{CommandBuilder, ProcessOutput, prelude::*};

use crate::{
    cut,
    directory::Directory,
    environment,
    name::{FilePath, Revision},
    status::Status,
    tree::{self, TreeEntry, TreeKind},
};

/// Options that write differences as text, without a program of the repository's.
pub(crate) const AS_TEXT: [&str; 9] = [
    "--patch",
    "--stat=120",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--find-renames",
    "--ignore-submodules=all",
    "--submodule=short",
    "--src-prefix=a/",
];

/// The most filters of one repository that are shut off.
const MOST_FILTERS: usize = 200;

/// Which repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) name: &'a str,
    pub(crate) directory: &'a Directory,
}

/// A repository.
#[derive(Debug)]
pub(crate) struct Repository<'a> {
    process: &'a Process,
    settings: Settings<'a>,
    has_files: bool,
}

impl<'a> Repository<'a> {
    /// Opens the repository whose directory the operator has named: all of it has to lie there.
    pub(crate) async fn open(process: &'a Process, settings: Settings<'a>) -> Result<Self> {
        let mut repository = Self { process, settings, has_files: false };
        let command = repository.command("rev-parse");
        let output = command.args(["--path-format=absolute", "--show-toplevel", "--git-common-dir"]).run().await?;
        let name = settings.name;
        if output.code != Some(0) {
            return Err(Error::new(format!("there is no git repository where `{name}` should be"))
                .with_code("no_repository")
                .with_hint(format!("the operator looks at `plugins.git.repositories.{name}`")));
        }
        let text = output.text()?;
        let (top, data) = text.split_once('\n').unwrap_or((text, ""));
        // A file `.git` or a link may lead to another repository of the machine, which nobody has named.
        repository.has_files = match data.trim_end_matches('\n').strip_prefix(top) {
            Some("/.git") => true,
            Some("") => false,
            _ => {
                return Err(Error::new(format!("`{name}` is a working tree whose repository is elsewhere"))
                    .with_code("no_repository")
                    .with_hint("the operator names the directory of the repository itself"));
            }
        };
        Ok(repository)
    }

    /// Begins a command that looks at what was committed.
    pub(crate) fn command(&self, command: &str) -> CommandBuilder<'a> {
        self.with(command, &[])
    }

    /// Begins a command that looks at files on the disk: filters of the repository are shut off.
    pub(crate) async fn command_on_files(&self, command: &str) -> Result<CommandBuilder<'a>> {
        if !self.has_files {
            return Err(Error::new(format!(
                "the repository `{}` is bare: it has no files beside its commits",
                self.settings.name
            ))
            .with_code("bare")
            .with_hint("compare two revisions instead"));
        }
        let filters = environment::filters(&self.run(self.command("config").args(["--list", "--name-only", "-z"])).await?);
        if filters.len() > MOST_FILTERS {
            return Err(Error::new(format!("the repository `{}` has more than {MOST_FILTERS} filters", self.settings.name))
                .with_code("too_many_filters")
                .with_hint("compare two revisions instead"));
        }
        Ok(self.with(command, &filters))
    }

    fn with(&self, command: &str, emptied: &[String]) -> CommandBuilder<'a> {
        let directory = self.settings.directory;
        let variables = environment::variables(directory.as_str(), directory.above(), emptied);
        let builder = self.process.command("git").args(["--no-pager", "-C", directory.as_str(), command]);
        variables.into_iter().fold(builder, |builder, (name, value)| builder.env(name, value))
    }

    /// Runs a command, and returns all that it wrote.
    pub(crate) async fn run(&self, command: CommandBuilder<'_>) -> Result<Vec<u8>> {
        whole(command.run().await?.success()?)
    }

    /// Runs a command that writes text, and returns its beginning, and how much was left out.
    pub(crate) async fn beginning(&self, command: CommandBuilder<'_>, most: usize) -> Result<(String, usize)> {
        let output = command.run().await?.success()?;
        let (text, left_out) = cut::beginning(&output.stdout, most);
        Ok((text, left_out + usize::try_from(output.stdout_cut).unwrap_or(usize::MAX)))
    }

    /// Returns the number of the commit that is meant.
    pub(crate) async fn resolve(&self, revision: Option<&Revision>) -> Result<String> {
        let revision = revision.map_or("HEAD", Revision::as_str);
        let command = self.command("rev-parse").args(["--verify", "--quiet", "--end-of-options"]);
        let output = command.arg(format!("{revision}^{{commit}}")).run().await?;
        let hash = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let is_number = matches!(hash.len(), 40 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if output.code == Some(0) && is_number {
            return Ok(hash);
        }
        let message = format!("the repository `{}` has no revision `{revision}`", self.settings.name);
        Err(Error::new(message).with_code("not_found").with_hint("`git.log` lists commits"))
    }

    /// Finds what a path is at a commit.
    async fn find(&self, commit: &str, path: &FilePath) -> Result<TreeEntry> {
        let command = self.command("ls-tree").args(["-z", "--long", "--full-tree", commit, "--"]).arg(path.clone());
        let found = tree::read_all(&self.run(command).await?, "");
        found.into_iter().find(|entry| entry.path == path.to_string()).ok_or_else(|| {
            Error::new(format!("there is no `{path}` at this revision"))
                .with_code("not_found")
                .with_hint("`git.files` lists files")
        })
    }

    /// Finds a file, or refuses what is none.
    pub(crate) async fn file(&self, commit: &str, path: &FilePath) -> Result<TreeEntry> {
        let entry = self.find(commit, path).await?;
        match entry.kind {
            TreeKind::File | TreeKind::Link => Ok(entry),
            TreeKind::Directory | TreeKind::Submodule => Err(Error::new(format!("`{path}` is not a file"))
                .with_code("not_a_file")
                .with_hint("`git.files` lists what is in it")),
        }
    }

    /// Finds a directory, and returns its number.
    pub(crate) async fn directory(&self, commit: &str, path: &FilePath) -> Result<String> {
        let entry = self.find(commit, path).await?;
        match entry.kind {
            TreeKind::Directory => Ok(entry.object),
            _ => Err(Error::new(format!("`{path}` is not a directory"))
                .with_code("not_a_directory")
                .with_hint("`git.read` reads files")),
        }
    }

    /// Reads a file of text.
    pub(crate) async fn read(&self, commit: &str, path: &FilePath, most: u64) -> Result<String> {
        let entry = self.file(commit, path).await?;
        if let Some(bytes) = entry.bytes.filter(|bytes| *bytes > most) {
            return Err(Error::new(format!("`{path}` has {bytes} bytes, and {most} are read at most"))
                .with_code("too_large")
                .with_hint("the limit is `plugins.git.max_file_bytes`"));
        }
        let bytes = self.run(self.command("cat-file").args(["blob", &entry.object])).await?;
        if bytes.contains(&0) {
            return Err(Error::new(format!("`{path}` is not text")).with_code("not_text"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the state, with so many changes at most.
    pub(crate) async fn status(&self, most: usize) -> Result<Status> {
        let command = self.command_on_files("status").await?;
        let command = command.args(["--porcelain=v2", "-z", "--branch", "--no-renames", "--untracked-files=normal"]);
        Ok(Status::read(&self.run(command.arg("--ignore-submodules=all")).await?, most))
    }
}

/// Refuses output that was not kept as a whole: the end of it would be something else.
pub(crate) fn whole(output: ProcessOutput) -> Result<Vec<u8>> {
    match output.text() {
        Err(error) if error.code() == "output_cut" => Err(error),
        _ => Ok(output.stdout),
    }
}
