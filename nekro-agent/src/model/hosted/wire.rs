//! What the providers' ways of writing have in common: what each must be able to do, and reading JSON that may be any.

use serde_json::Value;

use super::{assembly::Assembly, names::Names, sse::Event};
use crate::model::{ModelError, ModelErrorKind::Unavailable, Request};

/// A provider's way of writing.
pub(super) trait Wire: Send + Sync {
    /// Writes a request.
    fn write(&self, request: &Request, names: &Names) -> Value;

    /// Begins to read a stream.
    fn stream(&self) -> Box<dyn Reader>;

    /// Reads an answer that came as one value.
    fn read_whole(&self, answer: &Value, to: &mut Assembly<'_>) -> Result<(), ModelError>;
}

/// Reads a stream.
pub(super) trait Reader: Send {
    /// Reads an event, and tells whether it was the last.
    fn read(&mut self, event: &Event, to: &mut Assembly<'_>) -> Result<bool, ModelError>;

    /// Tells whether the answer is whole if the stream ends here.
    fn may_end(&self) -> bool;
}

/// Reads JSON that a provider sent.
pub(super) fn json(text: &str) -> Result<Value, ModelError> {
    serde_json::from_str(text).map_err(|_| ModelError::new(Unavailable, "it sent something that is not JSON"))
}

/// Returns a text of what a provider sent, or an empty one.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number of what a provider sent, or 0.
pub(super) fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// Returns a list of what a provider sent, or an empty one.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns a schema as providers like it: without what only names it.
pub(super) fn schema(arguments: &Value) -> Value {
    let mut schema = arguments.clone();
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
    }
    schema
}
