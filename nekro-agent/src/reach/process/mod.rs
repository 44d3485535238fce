//! Programs of the machine, run for plugins: no shell, an empty environment, and an end with everything that was started.

mod group;
mod programs;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    io,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use nekro_core::{BoxFuture, Error, FilePlace, FilesPort as _, PluginDecl, ProcessOutput, ProcessPort, ProcessRequest, Result};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
};

pub(crate) use self::{group::Group, programs::Programs, settings::ProcessSettings};
use super::files::LocalFiles;

/// Runs the programs of all plugins.
pub(crate) struct Runner {
    settings: ProcessSettings,
    programs: Programs,
    files: Arc<LocalFiles>,
    // The operator's, for programs that run others.
    path: Option<OsString>,
    free: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
}

impl Runner {
    /// Makes one that runs programs where they were found, in the directories of the plugins.
    pub(crate) fn new(settings: &ProcessSettings, programs: Programs, files: Arc<LocalFiles>) -> Self {
        let path = env::var_os("PATH");
        Self { settings: settings.clone(), programs, files, path, free: Mutex::default() }
    }

    fn free(&self, plugin: &'static PluginDecl) -> Arc<Semaphore> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(free.entry(plugin.id).or_insert_with(|| Arc::new(Semaphore::new(self.settings.concurrency.max(1)))))
    }

    async fn run(&self, plugin: &'static PluginDecl, request: ProcessRequest) -> Result<ProcessOutput> {
        let program = request.program;
        let limit = request.deadline.map_or(self.settings.deadline, |own| own.min(self.settings.deadline));
        let free = self.free(plugin);
        let place = FilePlace::Own(plugin.id.into());
        let work = async {
            let _permit = free.acquire().await?;
            let command = self.command(plugin, &place, &request).await?;
            let output = self.run_to_its_end(command, request).await;
            // Programs write where they run.
            self.files.changed(&place);
            output
        };
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Error::new(format!("`{program}` took longer than {limit:?}, and was ended"))
                .with_code("timeout")
                .with_hint("the limit is the call's own deadline, or `process.deadline`")
                .retryable())
        })
    }

    /// Prepares a program, with an environment in which nothing of the agent's is.
    async fn command(&self, plugin: &PluginDecl, place: &FilePlace, request: &ProcessRequest) -> Result<Command> {
        let program = request.program;
        if !plugin.scope("process").contains(&program) {
            return Err(Error::new(format!("the plugin `{}` does not declare the program `{program}`", plugin.id))
                .with_code("out_of_scope"));
        }
        let found = self.programs.get(program).ok_or_else(|| {
            Error::new(format!("the program `{program}` is not installed on this machine"))
                .with_code("no_program")
                .with_hint("the operator installs it and starts the agent again; `nekro doctor` looks for it")
        })?;
        let home = self.files.path(place).and_then(std::path::absolute).map_err(|problem| not_started(program, &problem))?;
        let mut command = Command::new(found);
        command.env_clear();
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command.env("HOME", &home).env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        for (name, value) in &request.variables {
            check_variable(name, value)?;
            command.env(name, value);
        }
        if request.arguments.iter().any(|argument| argument.contains('\0')) {
            return Err(Error::new("an argument has a null character, which no program can be given").with_code("bad_request"));
        }
        command.args(&request.arguments).current_dir(self.directory(place, home, request).await?);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }

    /// Returns where the program runs. A link is no directory here: it could lead anywhere.
    async fn directory(&self, place: &FilePlace, home: PathBuf, request: &ProcessRequest) -> Result<PathBuf> {
        let Some(below) = &request.directory else { return Ok(home) };
        let mut path = Some(below.clone());
        while let Some(part) = path {
            let found = self.files.metadata(place, &part).await?;
            if found.is_none_or(|entry| entry.kind != nekro_core::FileKind::Directory) {
                return Err(Error::new(format!("there is no directory `{part}`")).with_code("not_found"));
            }
            path = part.parent();
        }
        Ok(home.join(below.as_str()))
    }

    async fn run_to_its_end(&self, mut command: Command, request: ProcessRequest) -> Result<ProcessOutput> {
        let program = request.program;
        let most = self.settings.output_bytes;
        let mut child = command.spawn().map_err(|problem| not_started(program, &problem))?;
        let group = Group::of(child.id());
        group
            .limit_memory(self.settings.memory_bytes)
            .or_else(|problem| already_over(&mut child, problem))
            .map_err(|problem| not_started(program, &problem))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Whoever does not read to the end has read enough.
                let _ = stdin.write_all(&request.stdin).await;
                let _ = stdin.shutdown().await;
            }
        };
        let ended = async {
            let status = child.wait().await;
            // What it left running holds its output open.
            drop(group);
            status
        };
        let (status, (), stdout, stderr) = tokio::join!(ended, feed, keep(stdout, most), keep(stderr, most));
        let status = status.map_err(|problem| not_started(program, &problem))?;
        let mut output = ProcessOutput::new(program, status.code());
        (output.stdout, output.stdout_cut) = stdout;
        (output.stderr, output.stderr_cut) = stderr;
        Ok(output)
    }
}

/// A program that has ended already needs no limit.
fn already_over(child: &mut Child, problem: io::Error) -> io::Result<()> {
    if child.try_wait()?.is_some() { Ok(()) } else { Err(problem) }
}

/// Keeps the beginning of what a program writes, and counts the rest.
async fn keep(from: Option<impl AsyncRead + Unpin>, most: u64) -> (Vec<u8>, u64) {
    let (mut kept, mut cut) = (Vec::new(), 0);
    let Some(mut from) = from else { return (kept, cut) };
    let mut piece = [0; 16 * 1024];
    // An output that cannot be read any further has ended.
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let room = usize::try_from(most.saturating_sub(kept.len() as u64)).unwrap_or(usize::MAX).min(read);
        kept.extend_from_slice(&piece[..room]);
        cut += (read - room) as u64;
    }
    (kept, cut)
}

/// Refuses variables by which a program would become another one.
fn check_variable(name: &str, value: &str) -> Result<()> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let changes_program =
        ["LD_", "DYLD_"].iter().any(|prefix| name.starts_with(prefix)) || matches!(name, "PATH" | "HOME" | "IFS");
    if is_name && !changes_program && !value.contains('\0') {
        return Ok(());
    }
    Err(Error::new(format!("`{}` is not a variable that a program can be given", name.escape_debug())).with_code("bad_request"))
}

fn not_started(program: &str, problem: &io::Error) -> Error {
    Error::new(format!("`{program}` cannot be run: {problem}")).with_code("unavailable")
}

impl ProcessPort for Runner {
    fn run(&self, plugin: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>> {
        Box::pin(self.run(plugin, request))
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("programs", &self.programs).finish_non_exhaustive()
    }
}
