//! What runs a script inside the worker.

mod config;
mod python;
mod system;

pub(crate) use self::python::Python;
use crate::protocol::Told;

/// An interpreter. The worker uses it, and nothing else knows which one it is.
pub(crate) trait Engine<P: Port> {
    /// Takes down what the last script used, and makes ready what the next one begins with, so that neither waits for it.
    fn prepare(&mut self) -> Result<(), EngineError>;

    /// Runs a small script of our own in what is ready, so that the memory that every script writes to is there when the next one comes.
    fn rehearse(&mut self) -> Result<(), EngineError>;

    /// Runs one script, in an interpreter that no other script has used, and gives the port back. What the script used may lie there
    /// until the next one is prepared.
    fn run(&mut self, task: &Task<'_>, port: P) -> (P, Result<Ran, Told>);
}

/// A script, and what the engine holds it to.
pub(crate) struct Task<'a> {
    /// What the interpreter is asked.
    pub(crate) request: &'a [u8],
    /// What an earlier script left.
    pub(crate) state: &'a [u8],
    pub(crate) cpu_ms: u64,
    pub(crate) memory: u64,
}

/// What an interpreter reported.
pub(crate) struct Ran {
    pub(crate) report: Vec<u8>,
    pub(crate) state: Vec<u8>,
}

/// The way out of the interpreter. An `Err` ends the script, and nothing in the script can catch it.
pub(crate) trait Port: Send + 'static {
    /// Hands over calls, and waits for answers.
    fn exchange(&mut self, calls: &[u8], wait_ms: u64) -> Result<Vec<u8>, Told>;

    /// Hands over what was printed.
    fn write(&mut self, text: &[u8]) -> Result<(), Told>;
}

/// Why there is no interpreter.
#[derive(Debug)]
pub(crate) struct EngineError(pub(crate) String);

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
