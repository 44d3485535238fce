//! Calls from a script to its host.

use std::{fmt, pin::Pin};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Who runs scripts implements it: the functions that a script calls, and what it prints meanwhile.
///
/// A call is dropped with its script, and so cannot outlive it; a host that wants one to go on detaches it.
pub trait Host: Send + Sync {
    /// Answers a call. Several may be under way at the same time; they are polled by the task that runs the script.
    fn call<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>>;

    /// Is told what was printed, as it comes.
    fn printed(&self, text: &str) {
        _ = text;
    }
}

/// A call.
///
/// What a script says is not to be trusted: the function is one of the script's, and the arguments are a JSON object within the limits, but
/// whether they fit the function is for the host to check.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The function, as its declaration names it.
    pub function: &'a str,
    /// Its arguments by name: a JSON object.
    pub arguments: Box<RawValue>,
}

/// What a call answered. The four kinds of tools.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The script goes on with a value.
    Value(Box<RawValue>),
    /// The same, and a note enters the history.
    Note(Box<RawValue>, String),
    /// The script ends, and the model sees the value. Nothing in the script can catch it.
    Show(Box<RawValue>),
    /// The same, with text and images.
    Content(Vec<Part>),
}

impl Answer {
    /// Makes an answer of a value.
    ///
    /// # Errors
    ///
    /// If the value has no JSON form.
    pub fn value(value: &impl Serialize) -> Result<Self, CallError> {
        json(value).map(Self::Value)
    }

    /// Makes an answer that ends the script.
    ///
    /// # Errors
    ///
    /// If the value has no JSON form.
    pub fn show(value: &impl Serialize) -> Result<Self, CallError> {
        json(value).map(Self::Show)
    }
}

fn json(value: &impl Serialize) -> Result<Box<RawValue>, CallError> {
    serde_json::value::to_raw_value(value)
        .map_err(|error| CallError::new("failed", format!("the answer has no JSON form: {error}")))
}

/// A part of an answer with images.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The file.
        bytes: Vec<u8>,
    },
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({text:?})"),
            Self::Image { media_type, bytes } => write!(f, "Image({media_type}, {} bytes)", bytes.len()),
        }
    }
}

/// Why a call failed, told to the script as an exception whose class follows the code: `errors.NotFound` for `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// A short word in `snake_case`, which programs compare.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl CallError {
    /// Makes one without a hint.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
