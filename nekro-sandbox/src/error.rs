//! Why a script is not run: read by whoever operates the agent.

use std::{fmt, io};

use crate::{Confinement, Layer};

/// Why a script was not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum SandboxError {
    /// The program has no interpreter.
    Absent,
    /// No worker could be started.
    Start(io::Error),
    /// What must be in force on this machine is not.
    Confinement {
        /// What is missing.
        lacks: Vec<Layer>,
        /// What is in force.
        confinement: Confinement,
    },
    /// As many scripts run and wait as may.
    Busy {
        /// How many wait.
        queue: usize,
    },
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("this program was built without the interpreter of the sandbox"),
            Self::Start(error) => write!(f, "the sandbox cannot be started: {error}"),
            Self::Confinement { lacks, .. } => {
                f.write_str("scripts are not run, for this machine does not confine them enough; missing:")?;
                lacks.iter().try_for_each(|layer| write!(f, " {layer}"))
            }
            Self::Busy { queue } => write!(f, "too many scripts at the same time: `sandbox.queue` allows {queue} to wait"),
        }
    }
}

impl std::error::Error for SandboxError {}

impl SandboxError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent => Some("build it for Linux, with the feature `python` of `nekro-sandbox`"),
            Self::Start(_) => None,
            Self::Confinement { lacks, .. } if lacks.iter().all(|layer| !Layer::INDISPENSABLE.contains(layer)) => Some(
                "set `sandbox.require = \"best-effort\"` to run them with what there is; `nekro doctor` says what that would be",
            ),
            Self::Confinement { .. } => Some("run it on a Linux with seccomp; `nekro doctor` says what is missing"),
            Self::Busy { .. } => Some("try again, or raise `sandbox.workers`"),
        }
    }
}
