//! What is kept of a document beside its places.

use nekro_core::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::SourceName;

/// A document that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// What it is called.
    pub name: SourceName,
    /// What it was.
    pub form: Form,
    /// How many bytes it had.
    pub bytes: usize,
    /// Into how many places it was cut.
    pub places: usize,
    /// When it was taken in.
    pub added: Timestamp,
}

/// What a document was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Text, with or without Markdown.
    Text,
    /// HTML, of which the article was read.
    Html,
    /// PDF, of which the text was read.
    Pdf,
}

/// What the keys of documents begin with.
pub(crate) const PREFIX: &str = "source/";

/// Returns the key of a document in the store.
pub(crate) fn key(name: &SourceName) -> String {
    format!("{PREFIX}{:016x}", fingerprint(name.as_str()))
}

/// Returns a number that stands for a text: FNV-1a, the same in every version.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
