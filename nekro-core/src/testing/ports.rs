//! Fakes of the ports.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    call::BoxFuture,
    capability::{ClockPort, Delivery, EnvPort, Message, MessagesPort, RandomPort},
    error::Result,
    event::Fact,
    ids::{PluginId, SessionId},
    kernel::{ApprovalPort, ApprovalRequest, Observed, ObserverPort},
};

/// A clock that stands still until it is moved. It begins on 1 January 2030, 12:00 UTC.
#[derive(Debug, Default)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// Moves the clock on, to the millisecond.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl ClockPort for FakeClock {
    fn now(&self) -> Timestamp {
        const START: i64 = 1_893_499_200_000;
        let passed = i64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(START.saturating_add(passed)).unwrap_or(Timestamp::MAX)
    }
}

/// Random numbers that are the same in every run: SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// Makes one; each seed has its own numbers.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl RandomPort for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        for chunk in buffer.chunks_mut(8) {
            let mut word = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Environment variables that a test has set, and none of the machine's.
#[derive(Debug, Default)]
pub struct FakeEnv(Mutex<BTreeMap<String, String>>);

impl FakeEnv {
    /// Sets a variable.
    pub fn set(&self, name: impl Into<String>, value: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), value.into());
    }
}

impl EnvPort for FakeEnv {
    fn get(&self, name: &str) -> Result<Option<String>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }
}

/// Keeps the messages that were sent.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Vec<(SessionId, PluginId, Message)>>);

impl Outbox {
    /// Returns what was sent, in order: to which session, by which plugin, and what.
    pub fn messages(&self) -> Vec<(SessionId, PluginId, Message)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the texts of what was sent, in order.
    pub fn texts(&self) -> Vec<String> {
        self.messages().into_iter().map(|(_, _, message)| message.text).collect()
    }
}

impl MessagesPort for Outbox {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((to.clone(), from.clone(), message));
        let delivery = Delivery::new(format!("message-{}", sent.len()));
        Box::pin(std::future::ready(Ok(delivery)))
    }
}

/// Keeps the facts that were emitted.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<(String, Value)>>);

impl Recorder {
    /// Returns the names of the facts that were emitted, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, _)| name.clone()).collect()
    }

    /// Returns the facts that were emitted, in order: the name and the fact of each.
    pub fn all(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the facts of a type that were emitted, in order.
    pub fn facts<E: Fact>(&self) -> Vec<E> {
        let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = E::DECL.wire_name();
        let of_type = facts.iter().filter(|(of, _)| *of == name);
        of_type.filter_map(|(_, json)| serde_json::from_value(json.clone()).ok()).collect()
    }
}

impl ObserverPort for Recorder {
    fn observe(&self, fact: Observed<'_>) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts.push((fact.name().to_owned(), fact.to_json()));
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recorder").field(&self.names()).finish()
    }
}

/// A person who always answers the same.
#[derive(Debug, Default)]
pub struct Approver(AtomicBool);

impl Approver {
    /// Says what the person answers from now on.
    pub fn answer(&self, yes: bool) {
        self.0.store(yes, Ordering::Relaxed);
    }
}

impl ApprovalPort for Approver {
    fn ask<'a>(&'a self, _: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(self.0.load(Ordering::Relaxed)))
    }
}
