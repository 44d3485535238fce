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
    // When the next call passes; `None` for never. Only meaningful while tripped.
    try_at: Option<Instant>,
}

/// That a call may be made, to be given back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// One of many.
    Free,
    /// The one whose outcome closes the breaker or opens it again. Calls that began before it opened have no say in that.
    Trial,
}

impl Breaker {
    /// Tells whether a call passes.
    #[inline]
    pub(crate) fn admits(&self, limits: &Limits) -> Option<Pass> {
        if self.tripped.load(Ordering::Relaxed) { self.admits_one(limits) } else { Some(Pass::Free) }
    }

    #[cold]
    fn admits_one(&self, limits: &Limits) -> Option<Pass> {
        let mut state = self.lock();
        if !self.tripped.load(Ordering::Relaxed) {
            return Some(Pass::Free);
        }
        let now = Instant::now();
        state.try_at.filter(|at| *at <= now)?;
        // If this call is cancelled and never reports, another passes after the same time.
        state.try_at = now.checked_add(limits.breaker_cooldown);
        Some(Pass::Trial)
    }

    /// Reports that a call went well.
    #[inline]
    pub(crate) fn succeeded(&self, pass: Pass) {
        if pass == Pass::Trial {
            self.close();
        }
    }

    /// Lets every call through again.
    #[cold]
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.failures.clear();
        self.tripped.store(false, Ordering::Relaxed);
    }

    /// Reports that a call failed. Returns whether the breaker opened by it.
    pub(crate) fn failed(&self, limits: &Limits, pass: Pass) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        if self.tripped.load(Ordering::Relaxed) {
            if pass == Pass::Trial {
                state.try_at = now.checked_add(limits.breaker_cooldown);
            }
            return false;
        }
        state.failures.push_back(now);
        while state.failures.front().is_some_and(|at| now.duration_since(*at) > limits.breaker_window)
            || state.failures.len() > limits.breaker_failures
        {
            state.failures.pop_front();
        }
        let opens = limits.breaker_failures > 0 && state.failures.len() >= limits.breaker_failures;
        if opens {
            state.try_at = now.checked_add(limits.breaker_cooldown);
            self.tripped.store(true, Ordering::Relaxed);
        }
        opens
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
        breaker.failed(&limits, Pass::Free);
        tokio::time::advance(limits.breaker_window + Duration::from_secs(1)).await;
        assert!(!breaker.failed(&limits, Pass::Free));
        assert!(!breaker.failed(&limits, Pass::Free), "the first failure is out of the window");
        assert!(breaker.failed(&limits, Pass::Free));
        assert_eq!(breaker.admits(&limits), None);
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_one_call_decides() {
        let (breaker, limits) = open().await;
        tokio::time::advance(limits.breaker_cooldown).await;
        assert_eq!(breaker.admits(&limits), Some(Pass::Trial));
        assert_eq!(breaker.admits(&limits), None, "one call is enough to know");
        breaker.failed(&limits, Pass::Trial);
        assert_eq!(breaker.admits(&limits), None);
        tokio::time::advance(limits.breaker_cooldown).await;
        assert_eq!(breaker.admits(&limits), Some(Pass::Trial));
        breaker.succeeded(Pass::Trial);
        assert_eq!(breaker.admits(&limits), Some(Pass::Free));
        assert!(!breaker.failed(&limits, Pass::Free), "it counts anew");
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_has_no_say() {
        let (breaker, limits) = open().await;
        breaker.succeeded(Pass::Free);
        assert!(breaker.is_open());
        tokio::time::advance(limits.breaker_cooldown).await;
        breaker.failed(&limits, Pass::Free);
        assert_eq!(breaker.admits(&limits), Some(Pass::Trial), "a late failure does not put the trial off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_never_reports_is_followed_by_another() {
        let (breaker, limits) = open().await;
        tokio::time::advance(limits.breaker_cooldown).await;
        assert_eq!(breaker.admits(&limits), Some(Pass::Trial));
        tokio::time::advance(limits.breaker_cooldown).await;
        assert_eq!(breaker.admits(&limits), Some(Pass::Trial));
    }

    #[tokio::test(start_paused = true)]
    async fn limits_of_nothing_and_of_everything_are_no_trouble() {
        let never = Limits { breaker_failures: 0, ..limits() };
        let breaker = Breaker::default();
        for _ in 0..10 {
            assert!(!breaker.failed(&never, Pass::Free));
        }
        let for_ever = Limits { breaker_failures: 1, breaker_cooldown: Duration::MAX, ..limits() };
        assert!(breaker.failed(&for_ever, Pass::Free));
        assert_eq!(breaker.admits(&for_ever), None);
        let at_once =
            Limits { breaker_failures: 1, breaker_cooldown: Duration::ZERO, breaker_window: Duration::ZERO, ..limits() };
        let breaker = Breaker::default();
        assert!(breaker.failed(&at_once, Pass::Free));
        assert_eq!(breaker.admits(&at_once), Some(Pass::Trial));
    }

    async fn open() -> (Breaker, Limits) {
        let (breaker, limits) = (Breaker::default(), limits());
        for _ in 0..3 {
            breaker.failed(&limits, Pass::Free);
        }
        (breaker, limits)
    }
}
