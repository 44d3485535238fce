//! A model, and those that stand in for it.

use std::sync::Arc;

use nekro_core::BoxFuture;

use super::Link;
use crate::model::{
    Answer, Chunk, Model, ModelError,
    ModelErrorKind::{Budget, Unavailable},
    Request, Sink,
};

/// Asks one after the other, until one answers.
pub(in crate::model) struct Chain {
    // Never empty: the first is the model itself.
    links: Vec<Arc<Link>>,
}

impl Chain {
    /// Makes a chain of a model and those that stand in for it.
    pub(in crate::model) fn new(first: Arc<Link>, others: impl IntoIterator<Item = Arc<Link>>) -> Self {
        Self { links: std::iter::once(first).chain(others).collect() }
    }

    async fn ask(&self, request: &Request, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        let mut failure: Option<ModelError> = None;
        for link in &self.links {
            if let Some(failure) = &failure {
                sink.chunk(Chunk::Restart { model: link.name(), fallback: true, reason: &failure.message, wait_ms: 0 });
            }
            let error = match link.ask(request, sink).await {
                Err(error) if error.kind != Budget => error,
                result => return result,
            };
            let told = failure.map(|before| format!("{}; {}", before.message, error.message));
            failure = Some(ModelError { message: told.unwrap_or_else(|| error.message.clone()), ..error });
        }
        Err(failure.unwrap_or_else(|| ModelError::new(Unavailable, "there is no model to ask")))
    }
}

impl Model for Chain {
    fn name(&self) -> &str {
        self.links.first().map_or("", |link| link.name())
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(self.ask(request, sink))
    }
}
