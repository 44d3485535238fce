//! What the policy says of one capability of one plugin: how often, how many at once, how long.
//!
//! A plugin is lent a port behind a gate if there is one. Without a word of the policy there is none, and nothing is in the way.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::bucket::{Buckets, Refused};
use crate::{
    error::{Error, Result},
    policy::{CapabilityCaps, place},
};

/// What is in the way of a plugin's use of a capability.
pub(crate) struct Gate {
    plugin: &'static str,
    capability: &'static str,
    caps: CapabilityCaps,
    // The plugin's uses are counted together, whoever made it do them.
    rate: Option<Buckets<()>>,
    under_way: AtomicUsize,
}

/// The place of a use among those that are under way.
struct Place<'g>(&'g Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(super) fn new(plugin: &'static str, capability: &'static str, caps: CapabilityCaps) -> Arc<Self> {
        let rate = caps.rate.map(|rate| Buckets::new(rate.most));
        Arc::new(Self { plugin, capability, caps, rate, under_way: AtomicUsize::new(0) })
    }

    /// Lets a use through, or says why not.
    ///
    /// # Errors
    ///
    /// `rate_limited`, `busy` and `deadline`, or what the use returns.
    pub(crate) async fn pass<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _place = self.enter()?;
        let Some(deadline) = self.caps.deadline else { return work.await };
        tokio::time::timeout(deadline.most, work).await.unwrap_or_else(|_| {
            let Self { plugin, capability, .. } = self;
            Err(Error::new(format!("a use of `{capability}` by the plugin `{plugin}` took longer than {:?}", deadline.most))
                .with_code("deadline")
                .with_hint(format!("the limit is `deadline` of `{capability}` at {}", place(deadline.line)))
                .retryable())
        })
    }

    fn enter(&self) -> Result<Option<Place<'_>>> {
        let Self { plugin, capability, .. } = self;
        // A use that finds no place is none, and is not counted.
        let place_taken = self.take_place()?;
        if let (Some(buckets), Some(cap)) = (&self.rate, self.caps.rate)
            && let Err(refused) = buckets.take((), 1)
        {
            let wait = match refused {
                Refused::Empty(wait) => wait,
                // There is one bucket, and room for it.
                Refused::Crowded => Duration::ZERO,
            };
            // Rounded up: who waits so long is let through.
            let wait = Duration::from_millis(u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
            return Err(Error::new(format!("the plugin `{plugin}` may use `{capability}` {}: try again in {wait:?}", cap.most))
                .with_code("rate_limited")
                .with_hint(format!("the limit is `rate` of `{capability}` at {}", place(cap.line)))
                .retryable());
        }
        Ok(place_taken)
    }

    fn take_place(&self) -> Result<Option<Place<'_>>> {
        let Self { plugin, capability, .. } = self;
        let Some(cap) = self.caps.at_once else { return Ok(None) };
        let next = |taken: usize| (taken < cap.most).then_some(taken + 1);
        match self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Ok(Some(Place(self))),
            Err(most) => Err(Error::new(format!(
                "{most} uses of `{capability}` by the plugin `{plugin}` are under way, and there may be no more"
            ))
            .with_code("busy")
            .with_hint(format!("the limit is `at_once` of `{capability}` at {}", place(cap.line)))
            .retryable()),
        }
    }
}
