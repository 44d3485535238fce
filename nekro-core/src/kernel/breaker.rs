//! A circuit breaker: a handler that keeps failing is left alone for a while.
//!
//! Closed, it lets every call through. After `breaker_failures` within `breaker_window` it opens, and nothing passes for
//! `breaker_cooldown`. Then it is half open: one call passes, and its outcome closes the breaker or opens it again.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::Limits;

#[derive(Debug, Default)]
pub(crate) struct Breaker {
    // Read on every call; everything else is behind the lock, and only failures get there.
    tripped: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: VecDeque<Instant>,
    // When the next call passes. Only meaningful while tripped.
    try_at: Option<Instant>,
}

impl Breaker {
    /// Tells whether a call passes.
    #[inline]
    pub(crate) fn admits(&self, limits: &Limits) -> bool {
        !self.tripped.load(Ordering::Relaxed) || self.admits_one(limits)
    }

    #[cold]
    fn admits_one(&self, limits: &Limits) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        let due = state.try_at.is_none_or(|at| at <= now);
        if due {
            // If this call is cancelled and never reports, another passes after the same time.
            state.try_at = Some(now + limits.breaker_cooldown);
        }
        due
    }

    /// Reports that a call went well.
    #[inline]
    pub(crate) fn succeeded(&self) {
        if self.tripped.load(Ordering::Relaxed) {
            self.close();
        }
    }

    #[cold]
    fn close(&self) {
        let mut state = self.lock();
        state.failures.clear();
        self.tripped.store(false, Ordering::Relaxed);
    }

    /// Reports that a call failed. Returns whether the breaker opened by it.
    pub(crate) fn failed(&self, limits: &Limits) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        let was_open = self.tripped.load(Ordering::Relaxed);
        state.failures.push_back(now);
        while state.failures.front().is_some_and(|at| now.duration_since(*at) > limits.breaker_window)
            || state.failures.len() > limits.breaker_failures
        {
            state.failures.pop_front();
        }
        if was_open || state.failures.len() >= limits.breaker_failures.max(1) {
            state.try_at = Some(now + limits.breaker_cooldown);
            self.tripped.store(true, Ordering::Relaxed);
        }
        !was_open && self.tripped.load(Ordering::Relaxed)
    }

    /// Tells whether calls are being held back.
    pub(crate) fn is_open(&self) -> bool {
        self.tripped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits() -> Limits {
        Limits { breaker_failures: 3, ..Limits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_enough_failures_in_the_window() {
        let (breaker, limits) = (Breaker::default(), limits());
        breaker.failed(&limits);
        tokio::time::advance(limits.breaker_window + Duration::from_secs(1)).await;
        assert!(!breaker.failed(&limits));
        assert!(!breaker.failed(&limits), "the first failure is out of the window");
        assert!(breaker.failed(&limits));
        assert!(!breaker.admits(&limits));
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_one_call_decides() {
        let (breaker, limits) = (Breaker::default(), limits());
        for _ in 0..3 {
            breaker.failed(&limits);
        }
        tokio::time::advance(limits.breaker_cooldown).await;
        assert!(breaker.admits(&limits));
        assert!(!breaker.admits(&limits), "one call is enough to know");
        breaker.failed(&limits);
        assert!(!breaker.admits(&limits));
        tokio::time::advance(limits.breaker_cooldown).await;
        assert!(breaker.admits(&limits));
        breaker.succeeded();
        assert!(breaker.admits(&limits) && breaker.admits(&limits));
    }
}
