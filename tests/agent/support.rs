//! Running the program in an empty directory.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// A directory to run the program in.
pub(crate) struct Place(TempDir);

/// What the program did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// Makes an empty one.
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary directory"))
    }

    /// Makes one with a `nekro.toml`.
    pub(crate) fn with_settings(text: &str) -> Self {
        let place = Self::new();
        std::fs::write(place.path().join("nekro.toml"), text).expect("a file in it");
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program without input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs the program with environment variables, and without input.
    pub(crate) fn run_in(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        finish(self.command(arguments).envs(variables.iter().copied()).spawn().expect("the program starts"), "")
    }

    /// Runs the program with input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        finish(self.command(arguments).spawn().expect("the program starts"), input)
    }

    /// Returns what runs the program here. Nothing that is set where the tests run reaches it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nekro"));
        command.args(arguments).current_dir(self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().to_uppercase().starts_with("NEKRO_"));
        ours.for_each(|(name, _)| {
            command.env_remove(name);
        });
        command
    }
}

/// A chat that goes on: what is said to it, and what it says.
pub(crate) struct Talk {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Talk {
    pub(crate) fn begin(place: &Place, arguments: &[&str]) -> Self {
        let mut child = place.command(arguments).stderr(Stdio::inherit()).spawn().expect("the program starts");
        let out = child.stdout.take().expect("it was piped");
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        Self { child, lines }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("it was piped");
        writeln!(stdin, "{line}").expect("the program listens");
    }

    /// Waits for a line with some words in it.
    #[track_caller]
    pub(crate) fn hear(&self, words: &str) -> String {
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(30)) {
            if line.contains(words) {
                return line;
            }
            heard.push(line);
        }
        panic!("nobody said {words}: {heard:#?}");
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // One that has ended already cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn finish(mut child: Child, input: &str) -> Run {
    let mut stdin = child.stdin.take().expect("it was piped");
    // A program that has ended already does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    Run { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

impl Run {
    /// Expects that all went well, and returns what was printed.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Expects one JSON value.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.good()).expect("one JSON value")
    }

    /// Expects a failure, and returns what was said about it.
    #[track_caller]
    pub(crate) fn bad(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

/// Runs the program in an empty directory.
pub(crate) fn nekro(arguments: &[&str]) -> Run {
    Place::new().run(arguments)
}
