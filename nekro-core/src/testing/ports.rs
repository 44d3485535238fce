//! Fakes of the ports.

use std::{
    collections::{BTreeMap, VecDeque},
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
    capability::{
        Answer, By, ClockPort, Delivery, EnvPort, Message, MessagesPort, PastMessage, Pushed, RandomPort, SecretsPort,
        SessionInfo, SessionsPort, Trigger,
    },
    error::{Error, Result},
    event::Fact,
    ids::{PluginId, SessionId, UserId},
    kernel::{ApprovalPort, ApprovalRequest, Observed, ObserverPort},
    secret::Secret,
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

/// Keeps the messages that were sent and what the agent was told, and answers questions as it was told to.
#[derive(Debug, Default)]
pub struct Outbox {
    sent: Mutex<Vec<(SessionId, PluginId, Message)>>,
    pushed: Mutex<Vec<(SessionId, PluginId, String, Trigger)>>,
    answers: Mutex<VecDeque<String>>,
    refusals: Mutex<VecDeque<Error>>,
}

impl Outbox {
    /// Returns what was sent, in order: to which session, by which plugin, and what.
    pub fn messages(&self) -> Vec<(SessionId, PluginId, Message)> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the texts of what was sent, in order.
    pub fn texts(&self) -> Vec<String> {
        self.messages().into_iter().map(|(_, _, message)| message.text).collect()
    }

    /// Returns what the agent was told, in order: in which session, by which plugin, what, and whether it was to answer.
    pub fn pushed(&self) -> Vec<(SessionId, PluginId, String, Trigger)> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what the next question is answered with. A question for which there is no answer waits in vain.
    pub fn answer(&self, text: impl Into<String>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(text.into());
    }

    /// Says that the next message cannot be sent, and why.
    pub fn refuse(&self, error: Error) {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).push_back(error);
    }
}

impl MessagesPort for Outbox {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        if let Some(error) = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((to.clone(), from.clone(), message));
        let delivery = Delivery::new(format!("message-{}", sent.len()));
        Box::pin(std::future::ready(Ok(delivery)))
    }

    fn push(&self, to: &SessionId, from: &PluginId, text: String, trigger: Trigger) -> BoxFuture<'_, Result<Pushed>> {
        let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        pushed.push((to.clone(), from.clone(), text, trigger));
        let unanswered = (trigger == Trigger::Later).then(|| "it wants no answer".to_owned());
        let pushed = Pushed::new(format!("pushed-{}", pushed.len()), unanswered);
        Box::pin(std::future::ready(Ok(pushed)))
    }

    fn ask(&self, to: &SessionId, from: &PluginId, user: Option<&UserId>, question: Message) -> BoxFuture<'_, Result<Answer>> {
        let (to, from, user) = (to.clone(), from.clone(), user.cloned());
        Box::pin(async move {
            let question = self.send(&to, &from, question).await?;
            let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match answer {
                Some(text) => Ok(Answer::new(text, format!("answer-to-{}", question.message), user)),
                None => std::future::pending().await,
            }
        })
    }
}

/// Secrets that a test has set, for whichever plugin declares them.
#[derive(Debug, Default)]
pub struct FakeSecrets(Mutex<BTreeMap<String, Secret<String>>>);

impl FakeSecrets {
    /// Sets a secret.
    pub fn set(&self, name: impl Into<String>, value: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), Secret::new(value.into()));
    }
}

impl SecretsPort for FakeSecrets {
    fn get(&self, _: &PluginId, name: &str) -> BoxFuture<'_, Result<Option<Secret<String>>>> {
        let secret = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        Box::pin(std::future::ready(Ok(secret)))
    }

    fn way(&self, _: &PluginId, name: &str) -> String {
        format!("a test gives it by `Host::builder().secret({name:?}, …)`")
    }
}

/// Conversations that a test has written down.
#[derive(Debug, Default)]
pub struct FakeSessions(Mutex<Vec<(SessionId, Vec<PastMessage>)>>);

impl FakeSessions {
    /// Writes down that something was said, at a moment.
    pub fn said(&self, session: impl Into<SessionId>, by: By, text: impl Into<String>, at: Timestamp) {
        let session = session.into();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut messages = match sessions.iter().position(|(id, _)| *id == session) {
            Some(there) => sessions.remove(there).1,
            None => Vec::new(),
        };
        let number = messages.len() as u64 + 1;
        messages.push(PastMessage::new(format!("{session}-message-{number}"), number, at, by, text));
        // The one that was used last comes first.
        sessions.insert(0, (session, messages));
    }
}

impl SessionsPort for FakeSessions {
    fn messages(&self, session: &SessionId, before: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Vec<PastMessage>>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = sessions.iter().filter(|(id, _)| id == session).flat_map(|(_, messages)| messages.iter().rev());
        let page = all.filter(|message| before.is_none_or(|before| message.number < before)).take(limit).cloned().collect();
        Box::pin(std::future::ready(Ok(page)))
    }

    fn list(&self, after: Option<&SessionId>, limit: usize) -> BoxFuture<'_, Result<(Vec<SessionInfo>, bool)>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = after.map_or(0, |after| sessions.iter().position(|(id, _)| id == after).map_or(sessions.len(), |at| at + 1));
        let info = |(id, messages): &(SessionId, Vec<PastMessage>)| {
            let at = |message: Option<&PastMessage>| message.map_or(Timestamp::UNIX_EPOCH, |message| message.at);
            SessionInfo::new(id.clone(), at(messages.first()), at(messages.last()), messages.len() as u64)
        };
        let page: Vec<_> = sessions[begin..].iter().take(limit).map(info).collect();
        let more = begin + page.len() < sessions.len();
        Box::pin(std::future::ready(Ok((page, more))))
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
