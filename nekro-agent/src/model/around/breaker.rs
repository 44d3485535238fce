//! A circuit breaker: a model that keeps failing is left alone for a while.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::settings::BreakerSettings;

/// Counts failures in a row, and lets nothing through for a while after too many.
#[derive(Debug)]
pub(in crate::model) struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    // Nothing passes before; after it, one does.
    closed_until: Option<Instant>,
    // Somebody tries whether it is better.
    trying: bool,
}

/// That a request may be made, to be given back with its outcome. Dropped, it was cancelled and says nothing.
#[derive(Debug)]
pub(in crate::model) struct Pass<'b> {
    breaker: &'b Breaker,
    trial: bool,
}

impl Breaker {
    /// Makes a breaker that lets everything through.
    pub(in crate::model) fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request through, or says how long none will be.
    pub(in crate::model) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let mut state = self.state();
        let Some(until) = state.closed_until else { return Ok(Pass { breaker: self, trial: false }) };
        let now = Instant::now();
        if until > now {
            return Err(until - now);
        }
        if state.trying {
            return Err(Duration::ZERO);
        }
        state.trying = true;
        Ok(Pass { breaker: self, trial: true })
    }

    /// Returns after how many failures in a row nothing passes.
    pub(in crate::model) fn failures(&self) -> u32 {
        self.settings.failures
    }
}

impl Pass<'_> {
    /// It went well, or the failure was not the model's.
    pub(in crate::model) fn good(self) {
        let mut state = self.breaker.state();
        (state.failures, state.closed_until) = (0, None);
    }

    /// The model failed.
    pub(in crate::model) fn failed(self) {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        let settings = self.breaker.settings;
        if settings.failures > 0 && state.failures >= settings.failures {
            state.closed_until = Some(Instant::now() + settings.pause);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.breaker.state().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn breaker(failures: u32) -> Breaker {
        Breaker::new(BreakerSettings { failures, pause: PAUSE })
    }

    fn fail(breaker: &Breaker) {
        breaker.admit().expect("it lets this through").failed();
    }

    #[tokio::test(start_paused = true)]
    async fn after_some_failures_in_a_row_nothing_passes_and_later_one_tries() {
        let breaker = breaker(2);
        fail(&breaker);
        breaker.admit().expect("one failure is not two").good();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.admit().map(drop), Err(PAUSE));
        advance(PAUSE).await;
        let trial = breaker.admit().expect("one may try");
        assert_eq!(breaker.admit().map(drop), Err(Duration::ZERO), "and no other");
        drop(trial);
        fail(&breaker);
        assert_eq!(breaker.admit().map(drop), Err(PAUSE), "it failed again");
        advance(PAUSE).await;
        breaker.admit().expect("one may try").good();
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn with_zero_everything_passes() {
        let breaker = breaker(0);
        for _ in 0..100 {
            fail(&breaker);
        }
    }
}
