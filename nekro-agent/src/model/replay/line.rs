//! A line of a recording.

use nekro_core::Image;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{Answer, Chunk, Entry, ModelError, ModelErrorKind, Request, Sink, Stop, ToolUse, Usage};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// Returns the first line.
pub(super) fn first() -> Value {
    json!({ "nekro_recording": VERSION })
}

/// A request, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) request: Value,
    /// The parts, as they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Answer {
        model: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reasoning: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolUse>,
        #[serde(default)]
        usage: Usage,
        #[serde(default)]
        stop: Stop,
    },
    Error {
        kind: Kind,
        message: String,
    },
}

/// A part of an answer.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Text(String),
    Reasoning(String),
    Restart { model: String, fallback: bool, reason: String, wait_ms: u64 },
}

impl Part {
    /// Returns what it says; nothing for what is no part of a text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Reasoning(text) => text,
            Self::Restart { .. } => "",
        }
    }
}

/// The sort of a failure, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Unavailable,
    RateLimited,
    Unauthorized,
    BadRequest,
    TooLong,
    Budget,
}

macro_rules! same {
    ($($kind:ident)*) => {
        impl From<ModelErrorKind> for Kind {
            fn from(kind: ModelErrorKind) -> Self {
                match kind { $(ModelErrorKind::$kind => Self::$kind,)* }
            }
        }

        impl From<Kind> for ModelErrorKind {
            fn from(kind: Kind) -> Self {
                match kind { $(Kind::$kind => Self::$kind,)* }
            }
        }
    };
}

same!(Unavailable RateLimited Unauthorized BadRequest TooLong Budget);

impl From<Chunk<'_>> for Part {
    fn from(chunk: Chunk<'_>) -> Self {
        match chunk {
            Chunk::Text(text) => Self::Text(text.to_owned()),
            Chunk::Reasoning(text) => Self::Reasoning(text.to_owned()),
            Chunk::Restart { model, fallback, reason, wait_ms } => {
                Self::Restart { model: model.to_owned(), fallback, reason: reason.to_owned(), wait_ms }
            }
        }
    }
}

impl From<&Result<Answer, ModelError>> for Outcome {
    fn from(result: &Result<Answer, ModelError>) -> Self {
        match result {
            Ok(Answer { model, text, reasoning, calls, usage, stop }) => Self::Answer {
                model: model.clone(),
                text: text.clone(),
                reasoning: reasoning.clone(),
                calls: calls.clone(),
                usage: *usage,
                stop: *stop,
            },
            Err(error) => Self::Error { kind: error.kind.into(), message: error.message.clone() },
        }
    }
}

impl Line {
    /// Lets happen again what happened. What answers is the recording, whatever model it was then.
    pub(super) fn play(self, name: &str, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        for part in &self.parts {
            sink.chunk(match part {
                Part::Text(text) => Chunk::Text(text),
                Part::Reasoning(text) => Chunk::Reasoning(text),
                Part::Restart { model, fallback, reason, wait_ms } => {
                    Chunk::Restart { model, fallback: *fallback, reason, wait_ms: *wait_ms }
                }
            });
        }
        match self.outcome {
            Outcome::Answer { text, reasoning, calls, usage, stop, model: _ } => {
                Ok(Answer { model: name.to_owned(), text, reasoning, calls, usage, stop })
            }
            Outcome::Error { kind, message } => Err(ModelError::new(kind.into(), message)),
        }
    }
}

/// Writes a request.
pub(super) fn request(request: &Request) -> Value {
    let entry = |entry: &Entry| match entry {
        Entry::Person { name, text, images } => short(json!({ "person": text, "name": name, "images": pictures(images) })),
        Entry::Notice { text } => json!({ "notice": text }),
        Entry::Answer { text, calls } => short(json!({ "answer": text, "calls": calls })),
        Entry::Result { call, tool, text, images, failed } => {
            short(json!({ "result": text, "call": call, "tool": tool, "images": pictures(images), "failed": failed }))
        }
    };
    let tool = |tool: &crate::model::ToolSpec| json!({ "name": tool.name, "description": tool.description, "arguments": tool.arguments });
    short(json!({
        "system": request.system,
        "entries": request.entries.iter().map(entry).collect::<Vec<_>>(),
        "tools": request.tools.iter().map(tool).collect::<Vec<_>>(),
        "prefill": request.prefill,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
    }))
}

/// Leaves out what says nothing.
fn short(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !(value.is_null() || value == &json!([]) || value == &json!(false)));
    }
    value
}

fn pictures(images: &[Image]) -> Vec<Value> {
    let checksum = |bytes: &[u8]| {
        // FNV-1a: tells two pictures apart, and is no protection against somebody who wants to deceive.
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let picture = |image: &Image| json!({ "media_type": image.media_type, "bytes": image.bytes.len(), "checksum": format!("{:016x}", checksum(&image.bytes)) });
    images.iter().map(picture).collect()
}

/// Returns the first difference between two requests, in words; `None` if there is none.
pub(super) fn difference(recorded: &Value, asked: &Value) -> Option<String> {
    first_difference(recorded, asked, String::new())
}

fn first_difference(recorded: &Value, asked: &Value, path: String) -> Option<String> {
    match (recorded, asked) {
        (Value::Object(left), Value::Object(right)) => {
            let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                first_difference(left.get(key).unwrap_or(&Value::Null), right.get(key).unwrap_or(&Value::Null), inside(key))
            })
        }
        (Value::Array(left), Value::Array(right)) => (0..left.len().max(right.len())).find_map(|at| {
            first_difference(left.get(at).unwrap_or(&Value::Null), right.get(at).unwrap_or(&Value::Null), format!("{path}[{at}]"))
        }),
        (left, right) if left == right => None,
        (left, right) => Some(format!("`{path}` was {}, and is {}", show(left, right), show(right, left))),
    }
}

/// Shows a value where it differs from the other.
fn show(value: &Value, other: &Value) -> String {
    const MOST: usize = 80;
    let (Value::String(text), Value::String(other)) = (value, other) else {
        return match value {
            Value::Null => "nothing".to_owned(),
            value => cut(&value.to_string(), MOST),
        };
    };
    let same = text.char_indices().zip(other.chars()).take_while(|((_, left), right)| left == right).last();
    let from = same.map_or(0, |((at, one), _)| at + one.len_utf8());
    let before = text[..from].char_indices().rev().nth(19).map_or(0, |(at, _)| at);
    let dots = if before > 0 { "…" } else { "" };
    format!("{:?}", format!("{dots}{}", cut(&text[before..], MOST)))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
