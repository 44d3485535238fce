//! The bodies of frames.

use std::{fmt::Write as _, io::Write as _};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Bounds, TooMuch, measure};
use crate::{Confinement, script::Problem};

/// Both sides are the same binary; a worker that says another number is something else.
pub(crate) const VERSION: u32 = 1;

/// A worker waits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ready {
    pub(crate) version: u32,
    pub(crate) confinement: Confinement,
}

/// A script, and what the worker must hold it to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin<'a> {
    pub(crate) cpu_ms: u64,
    pub(crate) memory: u64,
    pub(crate) output: usize,
    pub(crate) message: usize,
    pub(crate) state: usize,
    /// What the interpreter is asked, passed on as it is.
    #[serde(borrow)]
    pub(crate) request: &'a RawValue,
}

/// One call: its number, the function, the arguments by name.
#[derive(Debug, Deserialize)]
pub(crate) struct CallLine(pub(crate) u64, pub(crate) String, pub(crate) Box<RawValue>);

/// Calls, and how long to wait for an answer: milliseconds before the list, `u64::MAX` for ever.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) wait_ms: u64,
    pub(crate) calls: Vec<CallLine>,
}

/// Why a body cannot be used.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It holds too much.
    TooMuch(TooMuch),
    /// It is not what it should be.
    Form,
}

impl Exchange {
    pub(crate) fn read(body: &[u8], bounds: &Bounds) -> Result<Self, BodyError> {
        let (wait_ms, calls) = body.split_first_chunk::<8>().ok_or(BodyError::Form)?;
        measure(calls, bounds).map_err(BodyError::TooMuch)?;
        let calls: Vec<CallLine> = serde_json::from_slice(calls).map_err(|_| BodyError::Form)?;
        if calls.iter().any(|call| !call.2.get().starts_with('{')) {
            return Err(BodyError::Form);
        }
        Ok(Self { wait_ms: u64::from_le_bytes(*wait_ms), calls })
    }
}

/// How a script ended, told by the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Finish<R = ToldReport> {
    /// The interpreter's own report.
    Report(R),
    /// The worker ended it.
    Ended(Told),
}

impl Finish {
    pub(crate) fn read(body: &[u8], bounds: &Bounds) -> Result<Self, BodyError> {
        measure(body, bounds).map_err(BodyError::TooMuch)?;
        serde_json::from_slice(body).map_err(|_| BodyError::Form)
    }
}

/// Why a worker ended a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// It was told to stop.
    Stopped,
    /// Its processor time is used up.
    CpuTime,
    /// It printed too much.
    Output,
    /// It handed over too much at once.
    Message,
    /// It leaves too much to the next script.
    State,
    /// It recursed deeper than the interpreter's stack.
    Recursion,
    /// The interpreter gave up.
    Interpreter,
}

/// The interpreter's report (`python/guest/script.py`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ToldReport {
    Done(Option<ToldValue>),
    Refused(Vec<Problem>),
    Failed(ToldError),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldValue {
    pub(crate) text: String,
    pub(crate) json: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldError {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) line: Option<u32>,
    pub(crate) traceback: String,
    pub(crate) code: Option<String>,
    pub(crate) hint: Option<String>,
}

/// Writes answers for the interpreter: `[[1,value],[2,null,{"code":…,"message":…,"hint":…}]]`.
pub(crate) fn answers<'a>(into: &mut Vec<u8>, answers: impl Iterator<Item = (u64, Result<&'a RawValue, &'a crate::CallError>)>) {
    let mut separator = '[';
    for (number, answer) in answers {
        let written = match answer {
            Ok(value) => write!(into, "{separator}[{number},{}]", value.get()),
            Err(error) => {
                let error = serde_json::to_string(error).expect("an error of a call is three texts");
                write!(into, "{separator}[{number},null,{error}]")
            }
        };
        written.expect("memory takes what is written");
        separator = ',';
    }
    into.extend_from_slice(if separator == '[' { b"[]" } else { b"]" });
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMuch(TooMuch::Depth) => f.write_str("is nested too deeply"),
            Self::TooMuch(TooMuch::Values) => f.write_str("holds too many values"),
            Self::Form => f.write_char('?'),
        }
    }
}
