//! Why a model did not answer.

use std::{fmt, time::Duration};

/// Why a model did not answer. Read by the person who wrote to the agent, and by its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelError {
    /// What sort of failure it is: decides what is tried next.
    pub(crate) kind: ModelErrorKind,
    /// What happened; no secrets.
    pub(crate) message: String,
    /// How long the provider wants to be left alone, if it said so.
    pub(crate) retry_after: Option<Duration>,
}

/// The sorts of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelErrorKind {
    /// It could not be reached, was too slow, broke off, or had an error of its own: worth another try.
    Unavailable,
    /// Too many requests: worth another try, later.
    RateLimited,
    /// The key is missing or wrong, or may not use this model.
    Unauthorized,
    /// The request is wrong, and would be again.
    BadRequest,
    /// The conversation is longer than the model can read.
    TooLong,
    /// A budget of ours is spent.
    Budget,
}

impl ModelError {
    /// Makes an error.
    pub(crate) fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// Tells whether the same request may do better a little later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.kind, ModelErrorKind::Unavailable | ModelErrorKind::RateLimited)
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ModelError {}
