//! The section `[vectors]` of the settings.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Texts that plugins keep to find them again. They are compared by what they mean if an embedding model is set, and by their words.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VectorsSettings {
    /// How many texts one plugin may keep.
    pub(crate) points: u64,
    /// How many characters a text may have.
    pub(crate) text_characters: usize,
    /// How many bytes of JSON may be kept beside a text.
    pub(crate) payload_bytes: usize,
    /// How many bytes of memory the vectors of all collections may take; what was not used for the longest time is read again when it is
    /// needed.
    pub(crate) memory_bytes: usize,
    /// The embedding model; without it, texts are compared by their words alone.
    pub(crate) embedding: Option<EmbeddingSettings>,
}

/// An embedding model behind an address that speaks as OpenAI does: OpenAI, Ollama, vLLM, llama.cpp, text-embeddings-inference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingSettings {
    /// The address up to and with its version, such as `http://127.0.0.1:11434/v1`.
    pub(crate) url: String,
    /// What the model is called there.
    pub(crate) model: String,
    /// The key, if it wants one.
    #[serde(default)]
    pub(crate) api_key: Option<Secret<String>>,
    /// How many numbers a vector shall have; without it, as many as the model makes. Not every server can choose.
    #[serde(default)]
    #[schemars(range(min = 1, max = 8192))]
    pub(crate) dimensions: Option<usize>,
    /// What it costs, for a million tokens that it reads; for what is booked to plugins.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub(crate) price: Option<f64>,
    /// How many texts are sent at once.
    #[serde(default = "sixty_four")]
    #[schemars(range(min = 1, max = 2048))]
    pub(crate) batch: usize,
    /// How long one request may take.
    #[serde(default = "a_minute", with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) deadline: Duration,
}

fn sixty_four() -> usize {
    64
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

impl Default for VectorsSettings {
    fn default() -> Self {
        Self {
            points: 100_000,
            text_characters: 8_000,
            payload_bytes: 16 * 1024,
            memory_bytes: 256 * 1024 * 1024,
            embedding: None,
        }
    }
}
