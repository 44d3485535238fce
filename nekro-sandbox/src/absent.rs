//! What stands in the place of the sandbox in a program without an interpreter: everything compiles, and starting it says what is missing.

use crate::{Confinement, Host, Problem, Report, SandboxError, Script, Settings};

/// Runs scripts, where there is an interpreter; here there is none.
#[derive(Clone, Debug)]
pub enum Sandbox {}

impl Sandbox {
    /// Says what is missing.
    ///
    /// # Errors
    ///
    /// Always.
    pub async fn start(_: Settings) -> Result<Self, SandboxError> {
        Err(SandboxError::Absent)
    }

    /// Returns how it was set up.
    pub fn settings(&self) -> &Settings {
        match *self {}
    }

    /// Returns what of the confinement is in force.
    pub fn confinement(&self) -> &Confinement {
        match *self {}
    }

    /// Returns the process ids of the workers that wait.
    pub fn idle(&self) -> Vec<u32> {
        match *self {}
    }

    /// Runs a script.
    ///
    /// # Errors
    ///
    /// Never: there is nothing to run it with.
    pub async fn run(&self, _: &Script, _: &dyn Host) -> Result<Report, SandboxError> {
        match *self {}
    }

    /// Looks at a script without running it.
    ///
    /// # Errors
    ///
    /// Never: there is nothing to look at it with.
    pub async fn check(&self, _: &Script) -> Result<Vec<Problem>, SandboxError> {
        match *self {}
    }
}

/// Does nothing: this program is never started as a worker.
pub fn worker_main_if_asked() {}
