//! How the sandbox is set up: `[sandbox]` in the settings.

use std::{collections::BTreeSet, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confinement, Layer, Limits};

/// The sandbox as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// What of the confinement must be in force for a script to be run.
    pub require: Require,
    /// How many scripts may run at the same time, each in a process of its own.
    pub workers: usize,
    /// How many workers are kept waiting for a script.
    pub warm: usize,
    /// How many scripts may wait for a worker; one more is refused.
    pub queue: usize,
    /// After how many scripts a worker is replaced.
    pub worker_scripts: u32,
    /// After what time a worker is replaced.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub worker_age: Duration,
    /// What one script may use.
    pub limits: Limits,
    /// Layers that a test switches off.
    #[doc(hidden)]
    #[serde(skip)]
    pub off: BTreeSet<Layer>,
    /// What the worker of a test plays.
    #[doc(hidden)]
    #[serde(skip)]
    pub play: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            require: Require::default(),
            workers: std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4)),
            warm: 1,
            queue: 64,
            worker_scripts: 500,
            worker_age: Duration::from_secs(30 * 60),
            limits: Limits::default(),
            off: BTreeSet::new(),
            play: String::new(),
        }
    }
}

/// What of the confinement must be in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Require {
    /// Every layer.
    Full,
    /// Whatever the machine has, but never without the list of system calls, the renunciation of privileges, and an empty inheritance.
    #[default]
    BestEffort,
}

impl Require {
    /// Returns the layers that must be in force and are not.
    pub fn lacks(self, confinement: &Confinement) -> Vec<Layer> {
        let mut missing = confinement.missing();
        if self == Self::BestEffort {
            missing.retain(|layer| Layer::INDISPENSABLE.contains(layer));
        }
        missing
    }
}
