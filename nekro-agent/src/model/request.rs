//! What a model is asked.

use nekro_core::Image;
use serde_json::Value;

use super::ToolUse;

/// What a model is asked: the same for every provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    /// What it reads first: texts that seldom change stand first, so that a provider can keep what it has read.
    pub(crate) system: Vec<String>,
    /// The conversation, oldest first.
    pub(crate) entries: Vec<Entry>,
    /// The functions that it may call.
    pub(crate) tools: Vec<ToolSpec>,
    /// The beginning of the answer, to go on from; a provider that cannot is told in words.
    pub(crate) prefill: Option<String>,
    /// The most that it may write, in tokens; `None` for the provider's own limit.
    pub(crate) max_output_tokens: Option<u32>,
    /// How freely it chooses its words, from 0 to 2; `None` for the provider's own choice.
    pub(crate) temperature: Option<f64>,
}

/// An entry of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// A person says something.
    Person {
        /// Who, where several take part.
        name: Option<String>,
        /// What.
        text: String,
        /// Pictures that came with it.
        images: Vec<Image>,
    },
    /// The agent itself is told something, by a plugin or a schedule.
    Notice {
        /// What.
        text: String,
    },
    /// The model said something, and perhaps called.
    Answer {
        /// What.
        text: String,
        /// The calls that it made.
        calls: Vec<ToolUse>,
    },
    /// A call was answered.
    Result {
        /// Which, as the model named it.
        call: String,
        /// The function's name.
        tool: String,
        /// What it answered, or why it did not.
        text: String,
        /// Pictures in the answer.
        images: Vec<Image>,
        /// Whether it failed.
        failed: bool,
    },
}

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolSpec {
    /// The name, such as `dice.roll`. A provider that allows no dots writes it in its own way, and reads it back.
    pub(crate) name: String,
    /// What it does.
    pub(crate) description: String,
    /// The JSON Schema of its arguments.
    pub(crate) arguments: Value,
}
