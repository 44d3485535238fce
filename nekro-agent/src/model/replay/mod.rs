//! Turns that were recorded, and are played again: for tests, for looking at what happened, and for showing somebody else.
//!
//! A recording is a file of JSON lines that a person can read. The first line tells its version; each other one is a request and what came of
//! it. Pictures are kept as a size and a checksum, and no secret is written.

mod line;
mod recorder;
mod scrub;

use std::{
    fmt, fs, io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use nekro_core::BoxFuture;
use serde_json::Value;

use self::line::{Line, VERSION};
pub(crate) use self::{
    recorder::{Recorder, Recording},
    scrub::Secrets,
};
use super::{Answer, Model, ModelError, ModelErrorKind::BadRequest, Request, Sink};

/// How large a recording may be, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Plays a recording: each request must be the one that was recorded, in the same order.
pub(crate) struct Replay {
    name: String,
    lines: Mutex<std::collections::VecDeque<(usize, Line)>>,
    count: usize,
}

/// Why a recording cannot be played.
#[derive(Debug)]
pub(crate) enum RecordingError {
    /// It cannot be read.
    Read(io::Error),
    /// It is too large.
    Large,
    /// It is no recording, or of another version.
    Version,
    /// A line is wrong.
    Line(usize, serde_json::Error),
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the recording cannot be read: {error}"),
            Self::Large => write!(f, "the recording has more than {MOST_BYTES} bytes"),
            Self::Version => write!(f, "this is no recording of version {VERSION}: its first line should be `{}`", line::first()),
            Self::Line(number, error) => write!(f, "line {number} of the recording is wrong: {error}"),
        }
    }
}

impl std::error::Error for RecordingError {}

impl Replay {
    /// Reads a recording.
    pub(crate) fn open(name: &str, path: &Path) -> Result<Self, RecordingError> {
        let metadata = fs::metadata(path).map_err(RecordingError::Read)?;
        if metadata.len() > MOST_BYTES {
            return Err(RecordingError::Large);
        }
        Self::read(name, &fs::read_to_string(path).map_err(RecordingError::Read)?)
    }

    /// Reads the text of a recording.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, RecordingError> {
        let mut numbered =
            text.lines().enumerate().map(|(number, line)| (number + 1, line)).filter(|(_, line)| !line.trim().is_empty());
        let is_first = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|value| value == line::first());
        if !numbered.next().is_some_and(|(_, line)| is_first(line)) {
            return Err(RecordingError::Version);
        }
        let read =
            |(number, line)| Ok((number, serde_json::from_str(line).map_err(|error| RecordingError::Line(number, error))?));
        let lines: std::collections::VecDeque<_> = numbered.map(read).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), count: lines.len(), lines: Mutex::new(lines) })
    }

    fn play(&self, request: &Request, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        let wrong = |problem: String| {
            ModelError::new(BadRequest, format!("the recording of the model `{}` does not fit: {problem}", self.name))
        };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((number, line)) = lines.front() else {
            return Err(wrong(format!("it has {} requests, and this is another one", self.count)));
        };
        // What was recorded went through the same removal of what looks like a secret.
        let asked = Secrets::default().scrub(line::request(request));
        if let Some(difference) = line::difference(&line.request, &asked) {
            return Err(wrong(format!("line {number}: {difference}")));
        }
        let Some((_, line)) = lines.pop_front() else { return Err(wrong("it is at its end".to_owned())) };
        drop(lines);
        line.play(&self.name, sink)
    }
}

impl Model for Replay {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async { self.play(request, sink) })
    }
}

#[cfg(test)]
mod tests;
