//! Language models: what one is asked, what it answers, and the port that everything which answers stands behind.
//!
//! A provider's own JSON is known to its own file only. Whoever asks sees these types.

mod answer;
mod around;
mod error;
mod hosted;
mod models;
mod offline;
mod price;
mod replay;
mod request;
pub(crate) mod settings;

use nekro_core::BoxFuture;

pub(crate) use self::{
    answer::{Answer, Chunk, Stop, ToolUse, Usage},
    around::Spent,
    error::{ModelError, ModelErrorKind},
    models::{Models, embedder},
    offline::Offline,
    price::Price,
    replay::{Recorder, Recording, Secrets},
    request::{Entry, Request, ToolSpec},
};

/// Something that answers. Implemented by the providers, and by what is put around them: retries, budgets, recordings.
pub(crate) trait Model: Send + Sync {
    /// Returns the name, as the settings and the events know it.
    fn name(&self) -> &str;

    /// Asks, and tells `sink` each part of the answer as it comes. What is returned is the whole. Dropping the future cancels.
    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>>;
}

/// Whoever wants to see an answer while it comes.
pub(crate) trait Sink: Send {
    /// Takes the next part.
    fn chunk(&mut self, chunk: Chunk<'_>);
}

impl<F: FnMut(Chunk<'_>) + Send> Sink for F {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self(chunk);
    }
}
