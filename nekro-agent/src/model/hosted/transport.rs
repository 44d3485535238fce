//! The port to the network: one request, and an answer that comes in pieces.
//!
//! Its own port so that the tests decide where an answer is cut, when it stalls and how it ends.

use std::time::Duration;

use nekro_core::{BoxFuture, Secret};

use crate::model::ModelError;

/// A request.
pub(in crate::model) struct Post {
    /// Where to.
    pub(super) url: String,
    /// With which headers, the key among them.
    pub(super) headers: Vec<(String, Secret<String>)>,
    /// What: JSON.
    pub(super) body: String,
}

/// The beginning of an answer.
pub(in crate::model) struct Response {
    /// The HTTP status.
    pub(super) status: u16,
    /// How long the server wants to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// Whether it is a stream of events; a server that cannot stream sends one JSON value.
    pub(super) is_stream: bool,
    /// What comes.
    pub(super) body: Box<dyn Body>,
}

/// What comes.
pub(in crate::model) trait Body: Send {
    /// Returns the next piece; `None` at the end, and an error if the connection broke.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, ModelError>>;
}

/// Something that carries requests. Implemented over `reqwest`, and by the tests.
pub(in crate::model) trait Transport: Send + Sync {
    /// Sends a request and waits for the beginning of the answer.
    fn send(&self, post: Post) -> BoxFuture<'_, Result<Response, ModelError>>;
}

/// Reads how long a server wants to be left alone. The two texts are those of `Retry-After` and `Date`: a moment is measured by the
/// server's own clock (RFC 9110, section 10.2.3).
pub(super) fn retry_after(header: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let moment = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let left = moment(header)?.duration_since(moment(date?)?);
    Duration::try_from(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_by_its_clock() {
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        for (header, date, expected) in [
            ("3", None, Some(3_000)),
            (" 0.25 ", None, Some(250)),
            ("Wed, 21 Oct 2015 07:28:05 GMT", date, Some(5_000)),
            ("Wed, 21 Oct 2015 07:28:05 GMT", None, None),
            ("Wed, 21 Oct 2015 07:27:00 GMT", date, None),
            ("-3", None, None),
            ("NaN", None, None),
            ("1e300", None, None),
            ("soon", date, None),
        ] {
            assert_eq!(retry_after(header, date).map(|wait| wait.as_millis()), expected, "{header}");
        }
    }
}
