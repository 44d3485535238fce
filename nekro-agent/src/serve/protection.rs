//! What a browser is told with every answer: how little that may do.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

static PROTECTION: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
];

/// Nothing is kept by a browser, unless the answer says otherwise.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Adds what protects a browser to an answer that was not made here.
pub(super) fn protect(headers: &mut HeaderMap) {
    for (name, value) in &PROTECTION {
        headers.insert(name, value.clone());
    }
    headers.entry(header::CACHE_CONTROL).or_insert(NOT_KEPT);
}

/// Returns the headers that an answer of ours begins with: what protects a browser, and a media type that is still to be said.
pub(super) fn protected() -> HeaderMap {
    // Copied whole, which takes a fifth of the time of putting one in after the other.
    static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
        let mut headers = HeaderMap::new();
        protect(&mut headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(""));
        headers
    });
    HEADERS.clone()
}

/// Puts a header of a plugin to those that protect a browser, which it cannot change but for how long an answer is kept.
pub(super) fn add(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if name == header::CACHE_CONTROL {
        headers.insert(name, value);
    } else if PROTECTION.iter().all(|(known, _)| *known != name) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_says_how_long_an_answer_is_kept_and_loosens_nothing() {
        let mut headers = protected();
        let before = headers.clone();
        for (name, _) in &PROTECTION {
            add(&mut headers, name.clone(), HeaderValue::from_static("*"));
        }
        assert_eq!(headers, before);
        add(&mut headers, header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        assert_eq!(headers.get_all(header::CACHE_CONTROL).iter().collect::<Vec<_>>(), ["max-age=60"]);
        for cookie in ["a=1", "b=2"] {
            add(&mut headers, header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        assert_eq!(headers.get_all(header::SET_COOKIE).iter().count(), 2);
        let mut theirs = HeaderMap::from_iter([(header::X_FRAME_OPTIONS, HeaderValue::from_static("ALLOWALL"))]);
        protect(&mut theirs);
        assert_eq!((&theirs[header::X_FRAME_OPTIONS], &theirs[header::CACHE_CONTROL]), (&PROTECTION[1].1, &NOT_KEPT));
    }
}
