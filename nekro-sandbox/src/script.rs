//! A script, and what came of it.

use std::{fmt, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Functions, Limit, Limits, Part};

/// A script to run.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its source, in Python.
    pub source: String,
    /// What it may call.
    pub functions: Arc<Functions>,
    /// What it may use.
    pub limits: Limits,
    /// What an earlier script of the session left, if anything shall be kept; empty for the first one.
    pub state: Option<State>,
}

impl Script {
    /// Makes one with the limits of the defaults, that keeps nothing.
    pub fn new(source: impl Into<String>, functions: Arc<Functions>) -> Self {
        Self { source: source.into(), functions, limits: Limits::default(), state: None }
    }
}

/// The variables, functions and classes that a script left to the next one of its session. Only the interpreter can read it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct State(pub(crate) Vec<u8>);

impl State {
    /// Returns how many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether nothing was left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} bytes)", self.0.len())
    }
}

/// What came of a script.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What it printed, without its middle if it was too long.
    pub output: String,
    /// The calls it made, in order.
    pub calls: Vec<Made>,
    /// Notes that its calls left for the history.
    pub notes: Vec<String>,
    /// What it leaves to the next script, if anything is kept and it did not fail.
    pub state: Option<State>,
    /// How long it took.
    pub took: Duration,
}

/// How a script ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It came to its end; with the value of its last expression, if that is not `None`.
    Done(Option<Value>),
    /// A tool wants the model to see something before it goes on.
    Shown(Shown),
    /// It was not run, for it could not be right.
    Refused(Vec<Problem>),
    /// An exception ended it.
    Failed(Failure),
    /// It met a limit.
    Limit(Limit, String),
    /// The interpreter or its process came to an end; nothing else did.
    Crashed(String),
}

/// The value of a script's last expression.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Value {
    /// What a person or a model reads: a text as it is, anything else as Python writes it.
    pub text: String,
    /// The value as JSON, if it has such a form and is not too long.
    pub json: Option<Box<RawValue>>,
}

/// What a tool wants to be seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shown {
    /// Which function it was.
    pub function: String,
    /// Its value.
    pub value: Box<RawValue>,
    /// Text and images, if it has some.
    pub content: Vec<Part>,
}

/// Something in a script that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Its line, from 1.
    pub line: u32,
    /// Its column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// An exception that nobody caught.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Its class, such as `ValueError`.
    pub kind: String,
    /// Its text.
    pub message: String,
    /// The line of the script in which it came up.
    pub line: Option<u32>,
    /// The traceback, as Python writes it.
    pub traceback: String,
    /// The code of a tool's error.
    pub code: Option<String>,
    /// Advice: of the tool, or about a limit.
    pub hint: Option<String>,
}

/// A call that a script made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Made {
    /// The function.
    pub function: String,
    /// The code of its error, if it failed.
    pub error: Option<String>,
    /// How long it took; `None` if the script ended first.
    pub took: Option<Duration>,
}
