//! What another system's webhook brings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// What came by a webhook: the first parameter of its function.
///
/// Its signature was right, and it comes once: what the sender sends again is not given again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hook<T> {
    /// How the sender names it.
    pub id: String,
    /// What kind of event it is, if the sender says so outside of the payload, as GitHub and GitLab do.
    pub event: Option<String>,
    /// What it says.
    pub payload: T,
}

impl<T> Hook<T> {
    /// Makes one: for a test that calls the function.
    pub fn new(id: impl Into<String>, event: Option<&str>, payload: T) -> Self {
        Self { id: id.into(), event: event.map(str::to_owned), payload }
    }
}

/// How a sender proves that a webhook is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signature {
    /// GitHub: an HMAC-SHA256 of the body in `X-Hub-Signature-256`.
    Github,
    /// GitLab: the secret itself in `X-Gitlab-Token`.
    Gitlab,
    /// Stripe: an HMAC-SHA256 of time and body in `Stripe-Signature`.
    Stripe,
    /// Slack: an HMAC-SHA256 of version, time and body in `X-Slack-Signature`.
    Slack,
    /// An HMAC-SHA256 of the body in `X-Signature`, as hexadecimal digits, with or without `sha256=` before them.
    Hmac,
}

impl Signature {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
            Self::Hmac => "hmac",
        }
    }
}

/// A field of the configuration that holds the secret of a webhook.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the secret of a webhook",
    label = "not a secret",
    note = "the field has the type `Secret<String>`, or `Option<Secret<String>>` if the webhook may stay without"
)]
pub trait HookSecret {
    /// Returns the secret, if it was set.
    fn secret(&self) -> Option<&Secret<String>>;
}

impl HookSecret for Secret<String> {
    fn secret(&self) -> Option<&Secret<String>> {
        Some(self)
    }
}

impl HookSecret for Option<Secret<String>> {
    fn secret(&self) -> Option<&Secret<String>> {
        self.as_ref()
    }
}
