//! What a provider says when it does not answer, as an error of ours.

use std::time::Duration;

use serde_json::Value;

use super::wire::text;
use crate::model::{
    ModelError,
    ModelErrorKind::{self, BadRequest, RateLimited, TooLong, Unauthorized, Unavailable},
};

/// How much of what a provider says is repeated, in characters.
const MOST: usize = 400;

/// Reads an answer whose status is not good.
pub(super) fn of_status(status: u16, body: &str, retry_after: Option<Duration>) -> ModelError {
    let json = serde_json::from_str::<Value>(body).unwrap_or(Value::Null);
    // Some send a list with one error.
    let json = json.get(0).unwrap_or(&json);
    let error = json.get("error").unwrap_or(json);
    let message = message(error).unwrap_or_else(|| shorten(body));
    let kind = match status {
        401..=403 => Unauthorized,
        429 => RateLimited,
        408 | 409 | 425 | 500..=599 => Unavailable,
        _ => BadRequest,
    };
    let kind = refine(kind, error, &message);
    let separator = if message.is_empty() { "" } else { ": " };
    let message = match status {
        300..=399 => format!("{status}: it points to another address, which is not followed: the key would go there too"),
        404 => format!("{status}: there is no such model, or no such address{separator}{message}"),
        _ => format!("{status}{separator}{message}"),
    };
    ModelError { retry_after, ..ModelError::new(kind, message) }
}

/// Reads an error that comes in the middle of an answer.
pub(super) fn in_stream(error: &Value) -> ModelError {
    let kind = match (text(error, "/type"), error.get("code").and_then(Value::as_u64)) {
        ("rate_limit_error" | "rate_limit_exceeded", _) | (_, Some(429)) => RateLimited,
        ("authentication_error" | "permission_error" | "billing_error", _) | (_, Some(401..=403)) => Unauthorized,
        ("invalid_request_error" | "not_found_error" | "request_too_large", _) | (_, Some(400 | 404 | 413 | 422)) => BadRequest,
        _ => Unavailable,
    };
    let message = message(error).unwrap_or_else(|| "it gave no reason".to_owned());
    ModelError::new(refine(kind, error, &message), format!("it broke off: {message}"))
}

/// What came is no answer at all.
pub(super) fn strange(what: &str) -> ModelError {
    ModelError::new(Unavailable, what)
}

/// Looks closer: no status of its own tells a conversation that is too long from other wrong requests, or an empty account from haste.
fn refine(kind: ModelErrorKind, error: &Value, message: &str) -> ModelErrorKind {
    const LONG: [&str; 8] = [
        "context_length_exceeded",
        "context length",
        "context window",
        "prompt is too long",
        "too many tokens",
        "context size",
        "input is too long",
        "token limit",
    ];
    let told = format!("{} {} {message}", text(error, "/code"), text(error, "/type")).to_lowercase();
    match kind {
        BadRequest if LONG.iter().any(|words| told.contains(words)) => TooLong,
        RateLimited if told.contains("insufficient_quota") || told.contains("billing") => Unauthorized,
        kind => kind,
    }
}

fn message(error: &Value) -> Option<String> {
    let told = [error, &error["message"], &error["detail"], &error["error"]].into_iter().find_map(Value::as_str)?;
    Some(shorten(told)).filter(|text| !text.is_empty())
}

/// Returns a text in one line and not too long.
fn shorten(text: &str) -> String {
    let words: Vec<_> = text.split(|one: char| one.is_whitespace() || one.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(error: &ModelError, expected: Expect) {
        expected.assert_eq(&format!("{:?}: {error}", error.kind));
    }

    #[test]
    fn a_refusal_says_of_what_sort_it_is() {
        for (status, body, expected) in [
            (
                401,
                r#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#,
                expect!["Unauthorized: 401: Incorrect API key"],
            ),
            (429, r#"{"error":{"message":"slow down"}}"#, expect!["RateLimited: 429: slow down"]),
            (
                429,
                r#"{"error":{"message":"You ran out","type":"insufficient_quota"}}"#,
                expect!["Unauthorized: 429: You ran out"],
            ),
            (
                400,
                r#"{"error":{"message":"This model's maximum is 8192 tokens","code":"context_length_exceeded"}}"#,
                expect!["TooLong: 400: This model's maximum is 8192 tokens"],
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 > 2"}}"#,
                expect!["TooLong: 400: prompt is too long: 3 > 2"],
            ),
            (400, r#"[{"error":{"code":400,"message":"API key not valid"}}]"#, expect!["BadRequest: 400: API key not valid"]),
            (
                404,
                r#"{"error":"model 'x' not found"}"#,
                expect!["BadRequest: 404: there is no such model, or no such address: model 'x' not found"],
            ),
            (529, r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#, expect!["Unavailable: 529: Overloaded"]),
            (502, "<html>\n  Bad\u{1b}[2J gateway\n</html>", expect!["Unavailable: 502: <html> Bad [2J gateway </html>"]),
            (503, "", expect!["Unavailable: 503"]),
            (422, r#"{"detail":[{"msg":"extra"}]}"#, expect![[r#"BadRequest: 422: {"detail":[{"msg":"extra"}]}"#]]),
            (
                307,
                "",
                expect!["BadRequest: 307: it points to another address, which is not followed: the key would go there too"],
            ),
        ] {
            check(&of_status(status, body, None), expected);
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let error = of_status(500, &"ü".repeat(10_000), None);
        assert!(error.message.chars().count() < MOST + 20, "{error}");
    }
}
