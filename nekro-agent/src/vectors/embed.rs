//! Turning texts into vectors: the port, for a server that does it or a test.

use nekro_core::{BoxFuture, Result};

/// What turns texts into vectors. Implemented by a server's client, and by tests.
pub(crate) trait Embedder: Send + Sync {
    /// Returns the name of the model. Vectors of two models are never compared.
    fn model(&self) -> &str;

    /// Returns a vector for each text, in their order and all of one length.
    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Embedded>>;

    /// Returns what so many tokens cost, in millionths; `None` if nobody has said what they cost.
    fn cost(&self, _tokens: u64) -> Option<u64> {
        None
    }
}

/// What came of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Embedded {
    /// A vector for each.
    pub(crate) vectors: Vec<Vec<f32>>,
    /// How many tokens the model read.
    pub(crate) tokens: u64,
}

/// Estimates how many tokens texts have for a model that does not say: four characters to one.
pub(crate) fn estimated_tokens(texts: &[String]) -> u64 {
    texts.iter().map(|text| text.chars().count().div_ceil(4) as u64).sum()
}
