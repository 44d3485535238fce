//! Programs whose output a test has written down.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::{
    call::BoxFuture,
    capability::{ProcessOutput, ProcessPort, ProcessRequest},
    error::{Error, Result},
    plugin::PluginDecl,
};

/// What a program does in a test.
#[derive(Clone, Debug, Default)]
pub struct FakeOutput {
    code: i32,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl FakeOutput {
    /// A program that writes this, and succeeds.
    pub fn text(stdout: impl Into<Vec<u8>>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }

    /// A program that fails with this code and these errors.
    pub fn failure(code: i32, stderr: impl Into<Vec<u8>>) -> Self {
        Self { code, stderr: stderr.into(), ..Self::default() }
    }
}

/// A machine on which every program does as a test has written down. It keeps what was run.
#[derive(Default)]
pub struct FakeProcess {
    outputs: Mutex<Vec<(String, VecDeque<FakeOutput>)>>,
    runs: Mutex<Vec<ProcessRequest>>,
}

impl FakeProcess {
    /// Writes down what a program does, for the program and its arguments with spaces between them, or for the program alone. Of several
    /// outputs, each is given once, and the last again and again.
    pub fn output(&self, command: &str, output: FakeOutput) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        match outputs.iter_mut().find(|(known, _)| known == command) {
            Some((_, queue)) => queue.push_back(output),
            None => outputs.push((command.to_owned(), VecDeque::from([output]))),
        }
    }

    /// Returns what was run, in order.
    pub fn runs(&self) -> Vec<ProcessRequest> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn respond(&self, request: ProcessRequest) -> Result<ProcessOutput> {
        let program = request.program;
        let whole = [&[program.to_owned()], request.arguments.as_slice()].concat().join(" ");
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let exact = outputs.iter().position(|(known, _)| *known == whole);
        let found = exact.or_else(|| outputs.iter().position(|(known, _)| known == program));
        let queue = found.map(|at| &mut outputs[at].1);
        let output = queue.and_then(|queue| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() });
        let Some(FakeOutput { code, stdout, stderr }) = output else {
            return Err(Error::new(format!("the test has no output of `{whole}`")).with_code("unanswered"));
        };
        let mut output = ProcessOutput::new(program, Some(code));
        (output.stdout, output.stderr) = (stdout, stderr);
        Ok(output)
    }
}

impl ProcessPort for FakeProcess {
    fn run(&self, _: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>> {
        Box::pin(std::future::ready(self.respond(request)))
    }
}

impl fmt::Debug for FakeProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeProcess").field(&self.runs()).finish()
    }
}
