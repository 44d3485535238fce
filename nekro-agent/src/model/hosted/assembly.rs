//! An answer that is put together from what comes, and may not grow without end.

use super::names::Names;
use crate::model::{Answer, Chunk, ModelError, ModelErrorKind::BadRequest, Sink, Stop, ToolUse, Usage};

/// The answer so far.
pub(super) struct Assembly<'a> {
    answer: Answer,
    // The bytes that may still come.
    left: usize,
    most: usize,
    names: &'a Names,
    sink: &'a mut dyn Sink,
}

impl<'a> Assembly<'a> {
    /// Begins an answer of at most this many bytes.
    pub(super) fn new(model: &str, most: usize, names: &'a Names, sink: &'a mut dyn Sink) -> Self {
        let answer = Answer { model: model.to_owned(), ..Answer::default() };
        Self { answer, left: most, most, names, sink }
    }

    fn pay(&mut self, bytes: usize) -> Result<(), ModelError> {
        let Some(left) = self.left.checked_sub(bytes) else { return Err(too_large(self.most)) };
        self.left = left;
        Ok(())
    }

    /// Adds to what is said.
    pub(super) fn text(&mut self, text: &str) -> Result<(), ModelError> {
        self.pay(text.len())?;
        if !text.is_empty() {
            self.answer.text.push_str(text);
            self.sink.chunk(Chunk::Text(text));
        }
        Ok(())
    }

    /// Adds to what is thought.
    pub(super) fn reasoning(&mut self, text: &str) -> Result<(), ModelError> {
        self.pay(text.len())?;
        if !text.is_empty() {
            self.answer.reasoning.push_str(text);
            self.sink.chunk(Chunk::Reasoning(text));
        }
        Ok(())
    }

    /// Begins a call, and returns its number.
    pub(super) fn begin_call(&mut self) -> Result<usize, ModelError> {
        // A call costs more than its texts.
        self.pay(size_of::<ToolUse>())?;
        self.answer.calls.push(ToolUse { id: String::new(), tool: String::new(), arguments: String::new() });
        Ok(self.answer.calls.len() - 1)
    }

    /// Adds what came of a call that began.
    pub(super) fn call(&mut self, number: usize, id: &str, tool: &str, arguments: &str) -> Result<(), ModelError> {
        self.pay(id.len() + tool.len() + arguments.len())?;
        let Some(call) = self.answer.calls.get_mut(number) else { return Ok(()) };
        // There are servers that repeat the id and the name with every part.
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        if call.tool.is_empty() {
            tool.clone_into(&mut call.tool);
        }
        call.arguments.push_str(arguments);
        Ok(())
    }

    /// Returns the id that a call has so far.
    pub(super) fn id(&self, number: usize) -> &str {
        self.answer.calls.get(number).map_or("", |call| call.id.as_str())
    }

    /// What it has cost, to be written to.
    pub(super) fn usage(&mut self) -> &mut Usage {
        &mut self.answer.usage
    }

    /// Why it ended.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.answer.stop = stop;
    }

    /// Returns the whole. A call without an id gets one that no other answer of the conversation has, for it has `entries` so far.
    pub(super) fn finish(mut self, entries: usize) -> Answer {
        self.answer.calls.retain(|call| !call.tool.is_empty());
        for (number, call) in self.answer.calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call-{entries}-{number}");
            }
            call.tool = self.names.read(&call.tool);
            // A function without arguments is called with nothing by some.
            if call.arguments.trim().is_empty() {
                call.arguments = "{}".to_owned();
            }
        }
        self.answer
    }
}

/// An answer is larger than it may be.
pub(super) fn too_large(most: usize) -> ModelError {
    ModelError::new(BadRequest, format!("the answer has more than {most} bytes (`max_answer_bytes`)"))
}
