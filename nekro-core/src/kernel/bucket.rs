//! How often each caller may do something: a bucket of calls to a caller, which fills up evenly.
//!
//! The generic cell rate algorithm, which keeps no more of a bucket than the moment at which it will be full:
//! <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>. The time is tokio's, as for deadlines.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::policy::Rate;

/// The buckets of those who do one thing.
pub struct Buckets<K> {
    rate: Rate,
    begun: Instant,
    // By whose it is, after how many nanoseconds from the beginning it will be full. One that is full need not be kept.
    full_at: RwLock<HashMap<K, AtomicU64>>,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bucket is empty; there will be a call in it after this time.
    Empty(Duration),
    /// There are as many buckets as there may be, and none of them is full.
    Crowded,
}

impl<K> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Makes a bucket to each, of this rate.
    pub fn new(rate: Rate) -> Self {
        Self { rate, begun: Instant::now(), full_at: RwLock::default() }
    }

    /// Returns the rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a call out of somebody's bucket. `most` is how many buckets there may be.
    ///
    /// # Errors
    ///
    /// If there is none in it, or there are too many buckets.
    pub fn take(&self, whose: K, most: usize) -> Result<(), Refused> {
        // Nobody waits for others who take at the same time, but for the first call of each.
        let known = self.full_at.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = known.get(&whose) {
            return self.take_from(full_at);
        }
        drop(known);
        let mut all = self.full_at.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= most && !all.contains_key(&whose) {
            let now = nanoseconds(self.begun.elapsed());
            all.retain(|_, full_at| *full_at.get_mut() > now);
            if all.len() >= most {
                return Err(Refused::Crowded);
            }
        }
        self.take_from(all.entry(whose).or_default())
    }

    fn take_from(&self, full_at: &AtomicU64) -> Result<(), Refused> {
        let mut known = full_at.load(Ordering::Acquire);
        loop {
            // Read after the bucket, so that it is no earlier than what others took: they would seem to be ahead of time otherwise.
            let now = self.begun.elapsed();
            let after = take(Duration::from_nanos(known), now, self.rate).map_err(Refused::Empty)?;
            match full_at.compare_exchange_weak(known, nanoseconds(after), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(other) => known = other,
            }
        }
    }

    /// Gives back a call that was taken and then not made.
    pub fn give_back(&self, whose: &K) {
        let known = self.full_at.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = known.get(whose) {
            let step = nanoseconds(self.rate.step());
            // It is never refused.
            let _ = full_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| Some(full_at.saturating_sub(step)));
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns when the bucket will be full after a call was taken, or after what time one can be.
fn take(full_at: Duration, now: Duration, rate: Rate) -> Result<Duration, Duration> {
    let step = rate.step();
    let after = full_at.max(now) + step;
    match (after - now).checked_sub(step * rate.calls()) {
        None | Some(Duration::ZERO) => Ok(after),
        Some(wait) => Err(wait),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the calls: no more pass in any stretch of time than a full bucket and what fills up meanwhile; who waits as told is let
        /// through, and who waits less is not.
        #[test]
        fn no_more_pass_than_the_rate_allows(
            calls in 1_u32..20,
            milliseconds in 1_u64..5_000,
            pauses in proptest::collection::vec(0_u64..2_000, 1..200),
        ) {
            let rate: Rate = format!("{calls}/{milliseconds}ms").parse().expect("a rate");
            let (mut now, mut full_at) = (Duration::ZERO, Duration::ZERO);
            let mut passed: Vec<Duration> = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                match take(full_at, now, rate) {
                    Ok(after) => {
                        full_at = after;
                        passed.push(now);
                    }
                    Err(wait) => {
                        prop_assert!(take(full_at, now + wait, rate).is_ok());
                        prop_assert!(take(full_at, now + wait - Duration::from_nanos(1), rate).is_err());
                    }
                }
            }
            for (from, first) in passed.iter().enumerate() {
                for (to, last) in passed.iter().enumerate().skip(from) {
                    let filled = (*last - *first).as_nanos() / rate.step().as_nanos();
                    prop_assert!((to - from + 1) as u128 <= u128::from(calls) + filled);
                }
            }
        }

        #[test]
        fn a_full_bucket_gives_all_its_calls_at_once(calls in 1_u32..1_000, milliseconds in 1_u64..100_000) {
            let rate: Rate = format!("{calls}/{milliseconds}ms").parse().expect("a rate");
            let now = Duration::from_millis(milliseconds);
            let mut full_at = Duration::ZERO;
            for _ in 0..calls {
                full_at = take(full_at, now, rate).expect("there are some left");
            }
            prop_assert!(take(full_at, now, rate).is_err());
        }
    }

    #[test]
    fn those_who_take_at_the_same_time_are_not_held_against_each_other() {
        // A call takes longer than a nanosecond, so that the bucket is never empty.
        let buckets = Buckets::new("1000000/1ms".parse().expect("a rate"));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100_000).for_each(|_| assert_eq!(buckets.take("a", 1), Ok(()))));
            }
        });
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_no_more_buckets_than_there_may_be() {
        let buckets = Buckets::new("1/1s".parse().expect("a rate"));
        assert_eq!((buckets.take("a", 2), buckets.take("b", 2)), (Ok(()), Ok(())));
        assert_eq!(buckets.take("c", 2), Err(Refused::Crowded), "both have called lately");
        assert_eq!(buckets.take("a", 2), Err(Refused::Empty(Duration::from_secs(1))), "those who are known are told more");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(buckets.take("c", 2), Ok(()), "a full bucket need not be kept");
    }
}
