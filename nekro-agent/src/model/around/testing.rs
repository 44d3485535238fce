//! A model that does what it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use nekro_core::BoxFuture;

use crate::model::{Answer, Chunk, Model, ModelError, Request, Sink};

/// What happens when it is asked.
pub(in crate::model) enum Act {
    Say(&'static str),
    Fail(ModelError),
    /// It says something, and then nothing more.
    Stall(&'static str),
}

/// A model that does one thing after the other, and then says "more".
pub(in crate::model) struct Scripted {
    name: String,
    acts: Mutex<VecDeque<Act>>,
    pub(in crate::model) answer: Answer,
}

impl Scripted {
    pub(in crate::model) fn new(name: &str, acts: impl IntoIterator<Item = Act>) -> Self {
        let answer = Answer { model: name.to_owned(), ..Answer::default() };
        Self { name: name.to_owned(), acts: Mutex::new(acts.into_iter().collect()), answer }
    }

    pub(in crate::model) fn model(name: &str, acts: impl IntoIterator<Item = Act>) -> Arc<dyn Model> {
        Arc::new(Self::new(name, acts))
    }
}

impl Model for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, _: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async {
            let act = self.acts.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let text = match act {
                None => "more",
                Some(Act::Say(text)) => text,
                Some(Act::Fail(error)) => return Err(error),
                Some(Act::Stall(text)) => {
                    sink.chunk(Chunk::Text(text));
                    std::future::pending().await
                }
            };
            sink.chunk(Chunk::Text(text));
            Ok(Answer { text: text.to_owned(), ..self.answer.clone() })
        })
    }
}

/// Writes down what comes.
pub(in crate::model) fn written(chunk: Chunk<'_>) -> String {
    match chunk {
        Chunk::Text(text) => text.to_owned(),
        Chunk::Reasoning(text) => format!("({text})"),
        Chunk::Restart { model, fallback, reason, wait_ms } => {
            format!("[{} {model} after {wait_ms} ms: {reason}]", if fallback { "now" } else { "again" })
        }
    }
}
