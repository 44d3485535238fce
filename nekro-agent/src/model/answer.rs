//! What a model answers.

use serde::{Deserialize, Serialize};

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// The model that answered: with fall-backs, it need not be the one that was asked.
    pub(crate) model: String,
    /// What it says.
    pub(crate) text: String,
    /// What it thought before, if the provider tells.
    pub(crate) reasoning: String,
    /// The functions that it calls, in its order.
    pub(crate) calls: Vec<ToolUse>,
    /// What it cost.
    pub(crate) usage: Usage,
    /// Why it ended.
    pub(crate) stop: Stop,
}

/// A call that a model makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolUse {
    /// The provider's name for the call, to match the result with.
    pub(crate) id: String,
    /// The function, such as `dice.roll`.
    pub(crate) tool: String,
    /// The arguments as the model wrote them: JSON if all is well, and not to be trusted.
    pub(crate) arguments: String,
}

/// What an answer cost, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Read.
    pub(crate) input_tokens: u64,
    /// Written, thoughts included.
    pub(crate) output_tokens: u64,
    /// Of those read, the ones that the provider had kept.
    pub(crate) cached_tokens: u64,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    /// It was complete, or waits for the results of its calls.
    #[default]
    End,
    /// It reached the most that it may write.
    Length,
    /// The provider held it back.
    Filtered,
}

/// A part of an answer, as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk<'a> {
    /// Of what it says.
    Text(&'a str),
    /// Of what it thinks.
    Reasoning(&'a str),
    /// What came so far does not count: the request is made anew.
    Restart {
        /// The model that is asked now.
        model: &'a str,
        /// Whether it is another one.
        fallback: bool,
        /// Why.
        reason: &'a str,
        /// How many milliseconds it waits before.
        wait_ms: u64,
    },
}
