//! How long a connection waits for the head of its next request.
//!
//! The protocol's implementation could do so, too: it sets a timer anew for each request, and looks for the next one once more when it has
//! answered. Here it costs a request no more than the time at which it was answered.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::Response,
};
use http_body::{Frame, SizeHint};
use tokio::time::{self, Instant};

/// Since when a connection waits.
#[derive(Clone, Debug)]
pub(super) struct Patience(Arc<Since>);

#[derive(Debug)]
struct Since {
    begun: Instant,
    // How many times it is kept from waiting.
    kept: AtomicU32,
    // In nanoseconds from the beginning.
    waiting: AtomicU64,
}

/// Keeps a connection from waiting: a request is answered, or an answer written.
#[derive(Debug)]
pub(super) struct Answering(Arc<Since>);

impl Patience {
    /// Waits from now on.
    pub(super) fn new() -> Self {
        Self(Arc::new(Since { begun: Instant::now(), kept: AtomicU32::new(0), waiting: AtomicU64::new(0) }))
    }

    /// Does not wait until what this returns is dropped.
    pub(super) fn answering(&self) -> Answering {
        self.0.kept.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(&self.0))
    }

    /// Comes to its end when there was a wait of this length.
    pub(super) async fn ends(&self, most: Duration) {
        loop {
            let since = self.0.since();
            let waited = since.map(|since| self.0.begun.elapsed().saturating_sub(since)).unwrap_or_default();
            // No wait that begins meanwhile ends before this.
            time::sleep(most.saturating_sub(waited)).await;
            if since.is_some() && since == self.0.since() {
                return;
            }
        }
    }
}

impl Since {
    /// Returns after what time from the beginning it began to wait, if it waits.
    fn since(&self) -> Option<Duration> {
        (self.kept.load(Ordering::Acquire) == 0).then(|| Duration::from_nanos(self.waiting.load(Ordering::Acquire)))
    }
}

/// The body of an answer that comes in its own time.
struct Held {
    body: Body,
    _answering: Answering,
}

impl Answering {
    /// Goes on until an answer has come to its end.
    pub(super) fn until_the_end_of(self, answer: Response<Body>) -> Response<Body> {
        answer.map(|body| Body::new(Held { body, _answering: self }))
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.waiting.store(now, Ordering::Release);
        self.0.kept.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_time_whatever_came_before() {
        let (patience, begun) = (Patience::new(), Instant::now());
        let ends = patience.ends(seconds(10));
        tokio::pin!(ends);
        // Answers after 4 seconds, which take 3, after 9 more, which take 30, and at the same time another that takes 2.
        for (pause, took) in [(4, 3), (9, 30)] {
            assert!(time::timeout(seconds(pause), &mut ends).await.is_err());
            let (answering, other) = (patience.answering(), patience.answering());
            assert!(time::timeout(seconds(2), &mut ends).await.is_err());
            drop(other);
            assert!(time::timeout(seconds(took - 2), &mut ends).await.is_err());
            drop(answering);
        }
        ends.await;
        assert_eq!(begun.elapsed(), seconds(4 + 3 + 9 + 30 + 10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_until_its_body_ends() {
        let patience = Patience::new();
        let ends = patience.ends(seconds(10));
        tokio::pin!(ends);
        let answer = patience.answering().until_the_end_of(Response::new(Body::from("text")));
        assert_eq!(answer.body().size_hint().exact(), Some(4));
        assert!(time::timeout(seconds(100), &mut ends).await.is_err());
        let begun = Instant::now();
        assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.expect("it is there"), "text");
        ends.await;
        assert_eq!(begun.elapsed(), seconds(10));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_asks_is_waited_for_once() {
        let (patience, begun) = (Patience::new(), Instant::now());
        patience.ends(seconds(10)).await;
        assert_eq!(begun.elapsed(), seconds(10));
        // However long that is.
        assert!(time::timeout(seconds(10), Patience::new().ends(Duration::MAX)).await.is_err());
    }
}
