//! Every limit of the sandbox: its name, its default and the place to change it.

use std::{fmt, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one script may use. In the settings they stand under `[sandbox.limits]`; durations are written like `30s` or `2m`, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// How long a script may take, its calls included.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub wall_time: Duration,
    /// How much time of a processor it may use, its calls excluded.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub cpu_time: Duration,
    /// How much memory the interpreter may have, about 25 MiB of its own included.
    #[schemars(range(min = 67_108_864))]
    pub memory: u64,
    /// How long its source may be.
    #[schemars(range(min = 1))]
    pub source: usize,
    /// How much it may print before it is ended.
    #[schemars(range(max = 268_435_456))]
    pub output: usize,
    /// How much of what it printed is kept; the middle of what is longer is left out.
    #[schemars(range(min = 256))]
    pub shown_output: usize,
    /// How long the text of its value may be; the middle of what is longer is left out.
    #[schemars(range(min = 256))]
    pub shown_value: usize,
    /// How long the value as JSON may be; one that is longer is told by its text alone.
    #[schemars(range(max = 67_108_864))]
    pub value: usize,
    /// How many calls it may make.
    pub calls: u64,
    /// How many calls may be under way at the same time; the others wait for their turn.
    #[schemars(range(min = 1, max = 4096))]
    pub calls_at_once: usize,
    /// How long the arguments of a call may be.
    #[schemars(range(min = 64))]
    pub arguments: usize,
    /// How long the answer to a call may be.
    #[schemars(range(min = 64, max = 67_108_864))]
    pub answer: usize,
    /// How long a message from the worker may be; one with many calls at once is the longest.
    #[schemars(range(min = 4096, max = 268_435_456))]
    pub message: usize,
    /// How deep lists and objects in a message may be nested.
    #[schemars(range(min = 4, max = 120))]
    pub depth: usize,
    /// How many values a message may hold.
    #[schemars(range(min = 16))]
    pub values: usize,
    /// How much may be kept for the next script of a session.
    #[schemars(range(max = 67_108_864))]
    pub state: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_time: Duration::from_secs(120),
            cpu_time: Duration::from_secs(5),
            memory: 160 << 20,
            source: 64 << 10,
            output: 1 << 20,
            shown_output: 16 << 10,
            shown_value: 16 << 10,
            value: 1 << 20,
            calls: 1_000,
            calls_at_once: 16,
            arguments: 1 << 20,
            answer: 4 << 20,
            message: 8 << 20,
            depth: 64,
            values: 200_000,
            state: 1 << 20,
        }
    }
}

/// A limit that a script has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::wall_time`].
    WallTime,
    /// [`Limits::cpu_time`].
    CpuTime,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::source`].
    Source,
    /// [`Limits::output`].
    Output,
    /// [`Limits::calls`].
    Calls,
    /// [`Limits::arguments`].
    Arguments,
    /// [`Limits::answer`].
    Answer,
    /// [`Limits::message`].
    Message,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::values`].
    Values,
    /// [`Limits::state`].
    State,
}

impl Limit {
    /// Returns its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::WallTime => "wall_time",
            Self::CpuTime => "cpu_time",
            Self::Memory => "memory",
            Self::Source => "source",
            Self::Output => "output",
            Self::Calls => "calls",
            Self::Arguments => "arguments",
            Self::Answer => "answer",
            Self::Message => "message",
            Self::Depth => "depth",
            Self::Values => "values",
            Self::State => "state",
        }
    }

    /// Says what was met and where it is changed: "the script used more processor time than `sandbox.limits.cpu_time` allows (5s)".
    pub fn message(self, limits: &Limits) -> String {
        let (what, value) = match self {
            Self::WallTime => ("the script took longer", duration(limits.wall_time)),
            Self::CpuTime => ("the script used more processor time", duration(limits.cpu_time)),
            Self::Memory => ("the script needed more memory", bytes(limits.memory)),
            Self::Source => ("the script is longer", bytes(limits.source as u64)),
            Self::Output => ("the script printed more", bytes(limits.output as u64)),
            Self::Calls => ("the script made more calls", limits.calls.to_string()),
            Self::Arguments => ("the arguments of a call are longer", bytes(limits.arguments as u64)),
            Self::Answer => ("the answer to a call is longer", bytes(limits.answer as u64)),
            Self::Message => ("the script handed over more at once", bytes(limits.message as u64)),
            Self::Depth => ("what the script handed over is nested deeper", limits.depth.to_string()),
            Self::Values => ("the script handed over more values at once", limits.values.to_string()),
            Self::State => ("the script leaves more to the next one", bytes(limits.state as u64)),
        };
        format!("{what} than `sandbox.limits.{}` allows ({value})", self.name())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn duration(value: Duration) -> String {
    if value.subsec_millis() == 0 { format!("{}s", value.as_secs()) } else { format!("{}ms", value.as_millis()) }
}

fn bytes(value: u64) -> String {
    match value {
        _ if value > 0 && value.is_multiple_of(1 << 20) => format!("{} MiB", value >> 20),
        _ if value > 0 && value.is_multiple_of(1 << 10) => format!("{} KiB", value >> 10),
        _ => format!("{value} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_limit_its_value_and_its_place() {
        assert_eq!(
            Limit::Memory.message(&Limits::default()),
            "the script needed more memory than `sandbox.limits.memory` allows (160 MiB)"
        );
    }

    #[test]
    fn every_limit_is_named_as_in_the_settings() {
        let settings = serde_json::to_value(Limits::default()).expect("limits are plain");
        for limit in [
            Limit::WallTime,
            Limit::CpuTime,
            Limit::Memory,
            Limit::Source,
            Limit::Output,
            Limit::Calls,
            Limit::Arguments,
            Limit::Answer,
            Limit::Message,
            Limit::Depth,
            Limit::Values,
            Limit::State,
        ] {
            assert!(settings.get(limit.name()).is_some(), "{limit}");
        }
    }
}
