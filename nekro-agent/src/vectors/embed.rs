//! Turning texts into vectors: the port, for a server that does it or a test.

use nekro_core::{BoxFuture, Result};

/// What turns texts into vectors. Implemented by a server's client, and by tests.
pub(crate) trait Embedder: Send + Sync {
    /// Returns the name of the model. Vectors of two models are never compared.
    fn model(&self) -> &str;

    /// Returns a vector for each text, in their order and all of one length.
    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>>>;
}
