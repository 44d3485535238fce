//! What happens in the agent, for those who listen over HTTP: the turns of a session, and every fact.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nekro_core::{
    BoxFuture, Result, SessionId, TurnId,
    event::facts::{PluginStopped, ToolExecuted, ToolOutcome, TurnComplete, TurnOutcome},
    kernel::{ApprovalPort, Observed, ObserverPort},
    web::{Channel, Notice},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::agent::{Progress, Surface};

/// The facts that say of a model's answer what the turn's own steps say already.
const SAID_OTHERWISE: [&str; 2] = ["llm_response_chunk", "llm_thinking"];

/// Sees what happens, and tells it on. One to a server.
pub(crate) struct Feed {
    /// What happens in sessions; the topic is the session.
    pub(super) sessions: Channel,
    /// Every fact; the topic is its name.
    pub(super) facts: Channel,
    /// What is counted of it.
    pub(super) counts: Counts,
    // Those who follow the answer of one session, to pass it on in a form of their own.
    followers: Mutex<HashMap<SessionId, Vec<mpsc::UnboundedSender<Step>>>>,
    /// Changes whenever a plugin has stopped.
    pub(super) stopped: watch::Sender<()>,
    next: Option<Arc<dyn ObserverPort>>,
}

/// Returns who approves calls: whoever is behind an MCP client that can ask, and nobody else.
pub(crate) fn approval() -> Arc<dyn ApprovalPort> {
    #[cfg(feature = "mcp")]
    return Arc::new(crate::mcp::Client);
    #[cfg(not(feature = "mcp"))]
    Arc::new(Nobody)
}

/// Nobody is there to approve a call: what needs approval is denied, and told so.
#[cfg(not(feature = "mcp"))]
struct Nobody;

#[cfg(not(feature = "mcp"))]
impl ApprovalPort for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, _: &'a nekro_core::kernel::ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(false))
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) facts: AtomicU64,
    /// Turns, by outcome.
    pub(super) turns: [AtomicU64; 5],
    /// Calls of tools, by outcome.
    pub(super) calls: [AtomicU64; 3],
}

/// A step of a turn that matters to whoever passes its answer on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A part of the answer.
    Text(String),
    /// What is sent: all of it, or a message of its own.
    Sent(String),
}

impl Feed {
    /// Keeps this many events for those who come back. `next` sees every fact too.
    pub(crate) fn new(kept: usize, next: Option<Arc<dyn ObserverPort>>) -> Self {
        Self {
            sessions: Channel::keeping(kept),
            facts: Channel::keeping(kept),
            counts: Counts::default(),
            followers: Mutex::default(),
            stopped: watch::Sender::new(()),
            next,
        }
    }

    /// Follows the answers in a session, until what is returned is dropped.
    pub(super) fn follow(&self, session: &SessionId) -> mpsc::UnboundedReceiver<Step> {
        // One turn's text is all that can wait here, and its length is bounded by `max_answer_bytes`.
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().entry(session.clone()).or_default().push(sender);
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Vec<mpsc::UnboundedSender<Step>>>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_followers(&self, session: &SessionId, step: &Step) {
        let mut followers = self.lock();
        if let Some(of_session) = followers.get_mut(session) {
            of_session.retain(|follower| follower.send(step.clone()).is_ok());
            if of_session.is_empty() {
                followers.remove(session);
            }
        }
    }

    fn tell(&self, session: &SessionId, name: &str, value: &Value) {
        // A `Value` has a JSON form.
        if let Ok(notice) = Notice::new(name, value) {
            self.sessions.tell(notice.about(session.as_str()));
        }
    }
}

impl Surface for Feed {
    fn progress(&self, session: &SessionId, turn: &TurnId, progress: Progress<'_>) {
        let (name, value) = match progress {
            Progress::Thinking { model, round } => ("thinking", json!({ "turn": turn, "model": model, "round": round })),
            Progress::Text(text) => {
                self.tell_followers(session, &Step::Text(text.to_owned()));
                ("text", json!({ "turn": turn, "text": text }))
            }
            Progress::Reasoning(text) => ("reasoning", json!({ "turn": turn, "text": text })),
            Progress::Restart { model, reason, wait_ms } => {
                ("restart", json!({ "turn": turn, "model": model, "reason": reason, "wait_ms": wait_ms }))
            }
            Progress::CallBegan { call, tool, arguments } => {
                ("call_began", json!({ "turn": turn, "call": call, "tool": tool, "arguments": arguments }))
            }
            Progress::CallAdvanced { call, tool, report } => {
                let (done, total, text) = (report.done(), report.total(), report.text());
                ("call_progress", json!({ "turn": turn, "call": call, "tool": tool, "done": done, "total": total, "text": text }))
            }
            Progress::CallEnded { call, tool, outcome, micros, text } => (
                "call_ended",
                json!({ "turn": turn, "call": call, "tool": tool, "outcome": outcome, "micros": micros, "text": text }),
            ),
            Progress::ScriptBegan { call, source } => ("script_began", json!({ "turn": turn, "call": call, "source": source })),
            Progress::Printed(text) => ("printed", json!({ "turn": turn, "text": text })),
            Progress::ScriptEnded { call, outcome, micros, text } => {
                ("script_ended", json!({ "turn": turn, "call": call, "outcome": outcome, "micros": micros, "text": text }))
            }
            Progress::Ended { outcome, problem } => ("ended", json!({ "turn": turn, "outcome": outcome, "problem": problem })),
        };
        self.tell(session, name, &value);
    }

    fn send<'a>(&'a self, session: &'a SessionId, text: &'a str) -> BoxFuture<'a, Result<()>> {
        self.tell_followers(session, &Step::Sent(text.to_owned()));
        self.tell(session, "answer", &json!({ "text": text }));
        Box::pin(std::future::ready(Ok(())))
    }
}

impl ObserverPort for Feed {
    fn observe(&self, fact: Observed<'_>) {
        if let Some(next) = &self.next {
            next.observe(fact);
        }
        self.counts.facts.fetch_add(1, Ordering::Relaxed);
        if let Some(turn) = fact.get::<TurnComplete>() {
            let at = match turn.outcome {
                TurnOutcome::Answered => 0,
                TurnOutcome::Silent => 1,
                TurnOutcome::Cancelled => 2,
                TurnOutcome::Failed => 3,
                TurnOutcome::Limit => 4,
            };
            self.counts.turns[at].fetch_add(1, Ordering::Relaxed);
        }
        if fact.get::<PluginStopped>().is_some() {
            self.stopped.send_replace(());
        }
        if let Some(call) = fact.get::<ToolExecuted>() {
            let at = match call.outcome {
                ToolOutcome::Ok => 0,
                ToolOutcome::Failed => 1,
                ToolOutcome::Denied => 2,
            };
            self.counts.calls[at].fetch_add(1, Ordering::Relaxed);
        }
        let Ok(notice) = Notice::new(fact.name(), &fact.to_json()) else { return };
        if let Some(session) = fact.session().filter(|_| !SAID_OTHERWISE.contains(&fact.name())) {
            self.sessions.tell(notice.clone().about(session.as_str()));
        }
        self.facts.tell(notice.about(fact.name()));
    }
}

#[cfg(test)]
mod tests {
    use nekro_core::ProgressReport;

    use super::*;

    #[tokio::test]
    async fn whoever_follows_a_session_is_told_how_far_its_calls_have_come() {
        let feed = Feed::new(8, None);
        let mut told = feed.sessions.listen().about("s");
        let (session, turn) = (SessionId::from("s"), TurnId::from("t"));
        for total in [Some(4.0), None] {
            let report = ProgressReport::new(1.0, total, "reading");
            feed.progress(&session, &turn, Progress::CallAdvanced { call: "c", tool: "a.b", report: &report });
            let frame = told.next().await.expect("an event");
            let data = frame.lines().find_map(|line| line.strip_prefix("data: ")).expect("its data");
            let data: Value = serde_json::from_str(data).expect("JSON");
            assert!(frame.contains("event: call_progress\n"), "{frame}");
            let expected = json!({ "turn": "t", "call": "c", "tool": "a.b", "done": 1.0, "total": total, "text": "reading" });
            assert_eq!(data, expected);
        }
    }
}
