//! What went wrong, as programs read it: problem details (RFC 9457), <https://www.rfc-editor.org/rfc/rfc9457>.

use std::time::Duration;

use nekro_core::Error;
use schemars::JsonSchema;
use serde::Serialize;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What the status means.
    pub(super) title: &'static str,
    /// The status.
    pub(super) status: u16,
    /// What went wrong this time.
    pub(super) detail: Box<str>,
    /// A word for programs to compare.
    pub(super) code: Box<str>,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<Box<str>>,
    /// Whether the same request may succeed later.
    pub(super) retryable: bool,
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
    // What may be asked by instead, for 405.
    #[serde(skip)]
    pub(super) allow: Option<Box<str>>,
}

impl Problem {
    /// Says what is wrong.
    pub(super) fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        let (detail, code) = (detail.into().into(), code.into());
        Self { title: title(status), status, detail, code, hint: None, retryable: false, retry_after: None, allow: None }
    }

    /// There is nothing of this name, or at this path.
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(404, "not_found", what)
    }

    /// The request is wrong.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad_request", detail)
    }

    /// Adds what to do instead.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into().into()), ..self }
    }

    /// The same request may succeed later.
    pub(super) fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::new(status(error.code()), error.code(), error.message());
        Self { hint: error.hint().map(Box::from), retryable: error.is_retryable(), ..problem }
    }
}

/// Returns the status for the code of an error. One that a plugin chose itself says that the request was understood and the work failed.
fn status(code: &str) -> u16 {
    match code {
        "invalid_arguments" | "invalid_event" | "invalid_payload" | "bad_request" => 400,
        "unauthorized" => 401,
        "forbidden" | "denied" | "withheld" => 403,
        "not_found" => 404,
        _ if code.starts_with("unknown_") => 404,
        "conflict" => 409,
        "rate_limited" => 429,
        "panicked" | "unserialisable" | "not_initialised" => 500,
        "busy" | "ending" | "unavailable" => 503,
        "deadline" => 504,
        _ => 422,
    }
}

fn title(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Problem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_problem_with_its_status() {
        let error = Error::new("there is no tool `x`").with_code("unknown_tool").with_hint("did you mean `y`?");
        assert_eq!(
            serde_json::to_string(&Problem::from(error)).expect("plain data"),
            r#"{"title":"Not Found","status":404,"detail":"there is no tool `x`","code":"unknown_tool","hint":"did you mean `y`?","retryable":false}"#
        );
        for (code, expected) in [("denied", 403), ("rate_limited", 429), ("deadline", 504), ("no_such_city", 422)] {
            assert_eq!(status(code), expected, "{code}");
        }
    }
}
