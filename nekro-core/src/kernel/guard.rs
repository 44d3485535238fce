//! Running a plugin's function so that whatever it does stays its own: panics are caught, and time is limited.

use std::{
    any::Any,
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    task::coop::{Unconstrained, unconstrained},
    time::Sleep,
};

use crate::{call::BoxFuture, error::Error};

/// Why a plugin's function gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It returned an error.
    Error(Error),
    /// It panicked.
    Panic(String),
    /// It took too long.
    Deadline(Duration),
    /// It failed too often before and was not called.
    Quarantine,
    /// Its plugin could not start, or is stopping.
    NotRunning,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panic(message) => write!(f, "it panicked: {message}"),
            Self::Deadline(limit) => write!(f, "it took longer than its deadline of {limit:?}"),
            Self::Quarantine => f.write_str("it failed too often and is not called for a while"),
            Self::NotRunning => f.write_str("its plugin is not running"),
        }
    }
}

impl Failure {
    /// Turns it into the error that the caller is told. `limit` names the limit to change if it took too long.
    pub(crate) fn into_error(self, what: &str, limit: &str) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Panic(message) => Error::new(format!("`{what}` panicked: {message}")).with_code("panicked"),
            Self::Deadline(after) => Error::new(format!("`{what}` took longer than its deadline of {after:?}"))
                .with_code("deadline")
                .with_hint(format!("the limit is the function's own `deadline`, or `limits.{limit}`"))
                .retryable(),
            Self::Quarantine => Error::new(format!("`{what}` failed too often and is not called for a while"))
                .with_code("quarantined")
                .retryable(),
            Self::NotRunning => {
                Error::new(format!("`{what}` cannot be called: its plugin is not running")).with_code("unavailable")
            }
        }
    }
}

/// Calls a plain function.
#[inline]
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    // What the function borrows is either immutable or the plugin's own, whose locks are poisoned by the panic.
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result.map_err(Failure::Error),
        Err(payload) => Err(Failure::Panic(message(payload))),
    }
}

/// Awaits an `async` function for at most `limit`.
#[inline]
pub(crate) fn limited<T>(future: BoxFuture<'_, Result<T, Error>>, limit: Duration) -> Limited<'_, T> {
    Limited { future: Some(future), limit, timer: None }
}

/// See [`limited`].
pub(crate) struct Limited<'a, T> {
    // There until it has ended.
    future: Option<BoxFuture<'a, Result<T, Error>>>,
    limit: Duration,
    // Made when the future first has to wait: most functions never do, and a timer costs more than they. It has no part in tokio's
    // cooperative budget: a future that always uses that up would otherwise never be told that its time is over.
    timer: Option<Pin<Box<Unconstrained<Sleep>>>>,
}

impl<T> Future for Limited<'_, T> {
    type Output = Result<T, Failure>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let slot = &mut self.future;
        match catch_unwind(AssertUnwindSafe(|| {
            let polled = slot.as_mut().map_or(Poll::Pending, |future| future.as_mut().poll(context));
            if polled.is_ready() {
                // Dropped here already, where panics are caught anyway.
                *slot = None;
            }
            polled
        })) {
            Ok(Poll::Ready(result)) => return Poll::Ready(result.map_err(Failure::Error)),
            Err(payload) => return Poll::Ready(Err(Failure::Panic(message(payload)))),
            Ok(Poll::Pending) => {}
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(unconstrained(tokio::time::sleep(limit))));
        timer.as_mut().poll(context).map(|()| Err(Failure::Deadline(limit)))
    }
}

impl<T> Drop for Limited<'_, T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            drop_guarded(future);
        }
    }
}

impl<T> Limited<'_, T> {
    /// Lets go of something as soon as the function has to wait: most never do.
    #[inline]
    pub(crate) fn releasing<H>(mut self, held: &mut Option<H>) -> impl Future<Output = Result<T, Failure>> {
        poll_fn(move |context| {
            let polled = Pin::new(&mut self).poll(context);
            if polled.is_pending() {
                *held = None;
            }
            polled
        })
    }
}

/// Drops something of a plugin's, whose destructor may panic.
#[cold]
pub(crate) fn drop_guarded<T>(value: T) {
    if let Err(failure) = guarded(|| {
        drop(value);
        Ok(())
    }) {
        tracing::warn!("something was dropped: {failure}");
    }
}

#[cold]
fn message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    if let Some(text) = text {
        return text.to_owned();
    }
    // A type of the plugin's own, whose destructor could panic again.
    std::mem::forget(payload);
    "no message".to_owned()
}
