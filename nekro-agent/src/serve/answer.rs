//! What is answered, as the protocol's messages have it.

use std::{borrow::Cow, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use futures_util::stream;
use nekro_core::web::{self, Sse};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use super::{
    problem::Problem,
    protection::{self, protected},
};

/// How long a stream of events is silent at most: a connection that is gone is noticed by it.
const BEAT: Duration = Duration::from_secs(15);

/// What streams of events need.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) places: Arc<Semaphore>,
    /// Whether the server is ending, and streams end with it.
    pub(super) ending: watch::Receiver<bool>,
}

/// Turns a problem into a message.
pub(super) fn problem(problem: &Problem) -> Response<Body> {
    let json = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = message(problem.status, Cow::Borrowed("application/problem+json"), Body::from(json));
    let headers = response.headers_mut();
    if let Some(wait) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
    }
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"nekro\""));
    }
    if let Some(allow) = problem.allow.as_deref().and_then(|allow| allow.parse().ok()) {
        headers.insert(header::ALLOW, allow);
    }
    response
}

/// The header that says which event the client of a stream had last.
pub(super) const LAST_EVENT: &str = "last-event-id";

/// Turns an answer into a message. `last` is asked, for a stream, which event its client had last.
pub(super) fn answer<'r>(answer: web::Answer, last: impl FnOnce() -> Option<&'r str>, streams: &Streams) -> Response<Body> {
    let web::Answer { status, media_type, headers, body, .. } = answer;
    let body = match body {
        web::Body::Whole(bytes) => Body::from(bytes),
        web::Body::Static(bytes) => Body::from(bytes),
        web::Body::Pieces(pieces) => Body::from_stream(stream::iter(pieces.map(|piece| Ok::<_, Infallible>(Bytes::from(piece))))),
        web::Body::Events(mut events) => {
            let Ok(place) = Arc::clone(&streams.places).try_acquire_owned() else {
                let full = Problem::new(503, "busy", "there are as many streams of events as there may be").retryable();
                return problem(&full.with_hint("the limit is `serve.streams`"));
            };
            if let Some(last) = last() {
                events.resume(last);
            }
            events_body(events, place, streams.ending.clone())
        }
        _ => return problem(&Problem::new(500, "unserialisable", "the answer is of a kind that this server does not know")),
    };
    let mut response = message(status, media_type, body);
    for (name, value) in headers {
        // A value that no header can have came from a plugin, or from what a plugin was given.
        let value = HeaderValue::from_maybe_shared(Bytes::from(value));
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) else {
            return problem(&Problem::new(
                500,
                "unserialisable",
                format!("the answer has a header `{name}` that cannot be sent"),
            ));
        };
        protection::add(response.headers_mut(), name, value);
    }
    response
}

fn message(status: u16, media_type: Cow<'static, str>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    *headers = protected();
    let is_there = !media_type.is_empty();
    let media_type = match media_type {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    };
    if let (true, Ok(media_type)) = (is_there, HeaderValue::from_maybe_shared(media_type)) {
        headers.insert(header::CONTENT_TYPE, media_type);
    } else {
        headers.remove(header::CONTENT_TYPE);
    }
    response
}

struct Streaming {
    events: Sse,
    ending: watch::Receiver<bool>,
    // Given back when the client has gone.
    _place: OwnedSemaphorePermit,
}

fn events_body(events: Sse, place: OwnedSemaphorePermit, ending: watch::Receiver<bool>) -> Body {
    let streaming = Streaming { events, ending, _place: place };
    // The first line is there at once: a client knows then that it listens.
    let opening = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b": listening\n\n"))]);
    let rest = stream::unfold(streaming, |mut streaming| async move {
        let beat = tokio::time::sleep_until(Instant::now() + BEAT);
        let bytes = tokio::select! {
            biased;
            _ = streaming.ending.wait_for(|ending| *ending) => return None,
            frame = streaming.events.next() => Bytes::from(frame?),
            () = beat => Bytes::from_static(b":\n\n"),
        };
        Some((Ok(bytes), streaming))
    });
    Body::from_stream(futures_util::StreamExt::chain(opening, rest))
}
