//! Programs of the machine: those that the plugin declares, and no others.

use std::{fmt, sync::Arc, time::Duration};

use super::{CapabilityDecl, files::SandboxPath};
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Programs of the machine: those that the plugin declares, and no others.
///
/// A program is started with a list of arguments, never by a shell, in the plugin's own directory, with an environment that is empty but
/// for a path, a home and a language. Its time, memory and output are limited (`[process]` in the settings), and when its time is over,
/// or nobody waits for it any more, it is ended with everything that it started.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Tells about the repositories of this plugin.
/// #[plugin(id = "history", process = ["git"])]
/// pub struct History;
///
/// /// Returns the titles of the last commits.
/// #[tool]
/// async fn titles(
///     process: &Process,
///     /// How many.
///     #[arg(default = 10, range = 1..=100)]
///     count: u8,
/// ) -> Result<Vec<String>> {
///     let log = process.command("git").args(["log", "--format=%s"]).arg(format!("-{count}")).run().await?.success()?;
///     Ok(log.text()?.lines().map(str::to_owned).collect())
/// }
/// # fn main() {
/// # use nekro_core::testing::{FakeOutput, Host};
/// # use serde_json::json;
/// let host = Host::builder::<History>().output("git log --format=%s -2", FakeOutput::text("Add tea\nRemove coffee\n")).start();
/// assert_eq!(host.call_as::<Vec<String>>("titles", json!({ "count": 2 })).unwrap(), ["Add tea", "Remove coffee"]);
/// # }
/// ```
#[derive(Clone)]
pub struct Process {
    plugin: &'static PluginDecl,
    port: Arc<dyn ProcessPort>,
}

/// A program that is to run, as a port is given it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ProcessRequest {
    /// The program: one that the plugin declares.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables, beside the few that every program has.
    pub variables: Vec<(String, String)>,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// Where it runs: below the plugin's own directory, or there.
    pub directory: Option<SandboxPath>,
    /// How long it may take, if that is less than the host allows.
    pub deadline: Option<Duration>,
}

impl fmt::Debug for ProcessRequest {
    // Without the values of variables: one of them may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessRequest")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("variables", &self.variables.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessOutput {
    /// The program.
    pub program: &'static str,
    /// The code that it ended with; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote, as far as that was kept.
    pub stdout: Vec<u8>,
    /// What it wrote as errors, as far as that was kept.
    pub stderr: Vec<u8>,
    /// How many bytes of `stdout` were not kept.
    pub stdout_cut: u64,
    /// How many bytes of `stderr` were not kept.
    pub stderr_cut: u64,
}

impl ProcessOutput {
    /// Makes the output of a program that ended and wrote nothing.
    pub fn new(program: &'static str, code: Option<i32>) -> Self {
        Self { program, code, stdout: Vec::new(), stderr: Vec::new(), stdout_cut: 0, stderr_cut: 0 }
    }

    /// Refuses a program that did not end with 0.
    ///
    /// # Errors
    ///
    /// `process_failed`, with the last line that it wrote as errors.
    pub fn success(self) -> Result<Self> {
        if self.code == Some(0) {
            return Ok(self);
        }
        let how = self.code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("ended with {code}"));
        let text = String::from_utf8_lossy(&self.stderr);
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let last: String = last.chars().filter(|one| !one.is_control()).take(300).collect();
        let what = if last.is_empty() { String::new() } else { format!(": {last}") };
        Err(Error::new(format!("`{}` {how}{what}", self.program)).with_code("process_failed"))
    }

    /// Returns what it wrote, as text in UTF-8.
    ///
    /// # Errors
    ///
    /// `not_text`, and `output_cut` if not all of it was kept.
    pub fn text(&self) -> Result<&str> {
        if self.stdout_cut > 0 {
            return Err(Error::new(format!("`{}` wrote {} bytes more than are kept", self.program, self.stdout_cut))
                .with_code("output_cut")
                .with_hint("the limit is `process.output_bytes`"));
        }
        std::str::from_utf8(&self.stdout).map_err(|_| {
            Error::new(format!("`{}` wrote something that is not text in UTF-8", self.program)).with_code("not_text")
        })
    }
}

/// What runs programs. Implemented by the host.
pub trait ProcessPort: Send + Sync {
    /// Runs a program to its end; if the future is dropped, the program is ended.
    ///
    /// # Errors
    ///
    /// `no_program` if it is not installed, `timeout`, `bad_request` for an argument or a variable that no program can be given, and
    /// `not_found` if the directory is not there. A program that fails is no error.
    fn run(&self, plugin: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>>;
}

impl Process {
    /// Makes a handle over a port, for what a plugin declares.
    pub fn new(plugin: &'static PluginDecl, port: Arc<dyn ProcessPort>) -> Self {
        Self { plugin, port }
    }

    /// Begins to describe how a program is run.
    pub fn command(&self, program: &str) -> CommandBuilder<'_> {
        let declared = self.plugin.scope(PROCESS.name).iter().find(|declared| **declared == program);
        let problem = declared.is_none().then(|| {
            Error::new(format!("the plugin `{}` does not declare the program `{program}`", self.plugin.id))
                .with_code("out_of_scope")
                .with_hint(format!("its author adds {program:?} to `process` in `#[plugin(process = […])]`"))
        });
        let request = ProcessRequest {
            program: declared.copied().unwrap_or_default(),
            arguments: Vec::new(),
            variables: Vec::new(),
            stdin: Vec::new(),
            directory: None,
            deadline: None,
        };
        CommandBuilder { process: self, request, problem }
    }
}

/// How a program is to be run. What is wrong with it, [`CommandBuilder::run`] says.
#[derive(Debug)]
#[must_use = "a program does nothing until it is run"]
pub struct CommandBuilder<'a> {
    process: &'a Process,
    request: ProcessRequest,
    problem: Option<Error>,
}

impl CommandBuilder<'_> {
    /// Adds an argument. It reaches the program as it is: no shell reads it.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.request.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.request.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.variables.push((name.into(), value.into()));
        self
    }

    /// Gives the program something to read.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.request.stdin = bytes.into();
        self
    }

    /// Runs it in a directory below the plugin's own.
    pub fn directory(mut self, path: SandboxPath) -> Self {
        self.request.directory = Some(path);
        self
    }

    /// Limits how long it may take, below what the operator allows.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.request.deadline = Some(deadline);
        self
    }

    /// Runs the program to its end, and returns what it did, be it a failure or not.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if the plugin does not declare it, and as [`ProcessPort::run`] says.
    pub async fn run(self) -> Result<ProcessOutput> {
        match self.problem {
            Some(problem) => Err(problem),
            None => self.process.port.run(self.process.plugin, self.request).await,
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(&self.plugin.scope(PROCESS.name)).finish()
    }
}

static PROCESS: CapabilityDecl = CapabilityDecl {
    name: "process",
    summary: "runs programs of the machine",
    scope: Some(
        "`&Process` runs the programs that the plugin declares: add them to its attribute, such as `#[plugin(process = [\"git\"])]`",
    ),
    provided: |ports| ports.has::<dyn ProcessPort>(),
};

impl<P: Plugin> Lend<P> for Process {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&PROCESS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.plugin.decl(), call.port::<dyn ProcessPort>(&PROCESS, |gated| Arc::new(gated))?)))
    }
}
