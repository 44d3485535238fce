//! The mailbox of one plugin: where facts wait for its handlers.
//!
//! Facts of one session are handled one after the other, in the order in which they came; different sessions at the same time, up to
//! `limits.concurrency`. Nothing ever waits to put a fact in: when `limits.mailbox` is reached, the fact that comes is dropped and
//! counted, so that what was accepted is never reordered and an emitter never held up. No task exists while nothing waits.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use super::Limits;
use crate::ids::SessionId;

/// Facts without a session share one lane.
pub(crate) type Lane = Option<SessionId>;

pub(crate) struct Mailbox<T> {
    lanes: Mutex<Lanes<T>>,
    idle: Notify,
    dropped: AtomicU64,
}

struct Lanes<T> {
    // Invariant: a lane is here from its first fact until its last one was handled; while no worker is at it, it is in `ready` too,
    // with its next fact. So a fact that comes alone is never queued here.
    waiting: HashMap<Lane, VecDeque<T>>,
    ready: VecDeque<(Lane, T)>,
    count: usize,
    workers: usize,
    // How many facts were ever put in.
    accepted: u64,
}

/// What became of a fact that was put in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits, and a worker will come to it.
    Waiting,
    /// It waits, and a worker has to be started for it.
    StartWorker,
    /// The mailbox is full.
    Dropped,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        let lanes = Lanes { waiting: HashMap::new(), ready: VecDeque::new(), count: 0, workers: 0, accepted: 0 };
        Self { lanes: Mutex::new(lanes), idle: Notify::new(), dropped: AtomicU64::new(0) }
    }
}

impl<T> Mailbox<T> {
    /// Puts a fact in.
    pub(crate) fn put(&self, lane: Lane, fact: T, limits: &Limits) -> Put {
        let mut lanes = self.lock();
        if lanes.count >= limits.mailbox {
            drop(lanes);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Put::Dropped;
        }
        lanes.count += 1;
        lanes.accepted += 1;
        match lanes.waiting.entry(lane) {
            Entry::Occupied(mut queue) => {
                queue.get_mut().push_back(fact);
                return Put::Waiting;
            }
            Entry::Vacant(place) => {
                let lane = place.key().clone();
                place.insert(VecDeque::new());
                lanes.ready.push_back((lane, fact));
            }
        }
        if lanes.workers >= limits.concurrency.max(1) {
            return Put::Waiting;
        }
        lanes.workers += 1;
        Put::StartWorker
    }

    /// Gives a worker its next fact and the lane it belongs to, or ends the worker.
    pub(crate) fn take(&self) -> Option<(Lane, T)> {
        let mut lanes = self.lock();
        let next = lanes.ready.pop_front();
        match next {
            Some(_) => lanes.count -= 1,
            None => self.leave(lanes),
        }
        next
    }

    /// Ends a worker that will not take another fact, though there may be some: its runtime is ending.
    pub(crate) fn abandon(&self) {
        self.leave(self.lock());
    }

    fn leave(&self, mut lanes: MutexGuard<'_, Lanes<T>>) {
        lanes.workers -= 1;
        if lanes.workers == 0 {
            drop(lanes);
            self.idle.notify_waiters();
        }
    }

    /// Takes a lane back from a worker that has handled one of its facts.
    pub(crate) fn give_back(&self, lane: Lane) {
        let mut lanes = self.lock();
        let Entry::Occupied(mut queue) = lanes.waiting.entry(lane) else { return };
        match queue.get_mut().pop_front() {
            Some(fact) => {
                let lane = queue.key().clone();
                lanes.ready.push_back((lane, fact));
            }
            None => drop(queue.remove_entry()),
        }
    }

    /// Throws away what waits. What is being handled goes on.
    pub(crate) fn clear(&self) {
        let mut lanes = self.lock();
        for (lane, _) in std::mem::take(&mut lanes.ready) {
            lanes.waiting.remove(&lane);
        }
        lanes.waiting.values_mut().for_each(VecDeque::clear);
        lanes.count = 0;
    }

    /// Waits until nothing is waiting or being handled. Returns how many facts were put in until then.
    pub(crate) async fn idle(&self) -> u64 {
        loop {
            let changed = self.idle.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let lanes = self.lock();
                if lanes.workers == 0 {
                    return lanes.accepted;
                }
            }
            changed.await;
        }
    }

    /// Returns how many facts wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().count
    }

    /// Returns how many facts were dropped because the mailbox was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any number of workers, taking turns in any way, see the facts of each session in order, and each fact once.
        #[test]
        fn each_session_is_first_in_first_out(
            facts in proptest::collection::vec(0_u8..4, 0..60),
            turns in proptest::collection::vec(0_usize..3, 0..400),
        ) {
            let limits = Limits { mailbox: 1_000, concurrency: 3, ..Limits::default() };
            let mailbox = Mailbox::default();
            let mut facts = facts.into_iter().enumerate();
            let mut hands: Vec<Option<(Lane, (u8, usize))>> = Vec::new();
            let mut seen: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
            let mut put: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
            let mut free = 0_usize;
            let finish = |hand: (Lane, (u8, usize)), seen: &mut BTreeMap<u8, Vec<usize>>| {
                seen.entry(hand.1.0).or_default().push(hand.1.1);
                mailbox.give_back(hand.0);
            };
            for turn in turns {
                match turn {
                    0 => if let Some((number, session)) = facts.next() {
                        put.entry(session).or_default().push(number);
                        let lane = Some(SessionId::from(session.to_string()));
                        if mailbox.put(lane, (session, number), &limits) == Put::StartWorker {
                            free += 1;
                        }
                    },
                    1 if free > 0 => {
                        free -= 1;
                        hands.extend(mailbox.take().map(Some));
                    }
                    _ => if let Some(hand) = hands.pop().flatten() {
                        finish(hand, &mut seen);
                        free += 1;
                    },
                }
            }
            // Let every worker finish.
            loop {
                if let Some(hand) = hands.pop().flatten() {
                    finish(hand, &mut seen);
                    free += 1;
                } else if free > 0 {
                    free -= 1;
                    hands.extend(mailbox.take().map(Some));
                } else {
                    break;
                }
            }
            prop_assert_eq!(seen, put);
            prop_assert_eq!(mailbox.waiting(), 0);
        }
    }

    #[test]
    fn a_full_mailbox_drops_what_comes_and_counts_it() {
        let limits = Limits { mailbox: 2, ..Limits::default() };
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(None, 1, &limits), Put::StartWorker);
        assert_eq!(mailbox.put(None, 2, &limits), Put::Waiting);
        assert_eq!(mailbox.put(None, 3, &limits), Put::Dropped);
        assert_eq!((mailbox.waiting(), mailbox.dropped()), (2, 1));
        assert_eq!(mailbox.take(), Some((None, 1)));
    }
}
