//! The calls of one round: made at the same time unless a tool may destroy something, and answered in the model's order.

use std::sync::Arc;

use nekro_core::{
    CallId, Caller, Error, Image, Kind, Part, PluginId, Reply, Result, Timestamp,
    event::facts::{ToolCallStarted, ToolExecuted, ToolOutcome},
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{Inner, builtin::Builtin, surface::Progress, tokens, turn::Turn};
use crate::{
    history::{Body, CallRecord, File},
    model::{Entry, ToolUse},
};

/// What came of a call.
pub(super) struct Made {
    /// What the model is shown.
    text: String,
    images: Vec<Image>,
    /// What enters the history beside it.
    pub(super) note: Option<(Option<PluginId>, String)>,
    outcome: ToolOutcome,
}

impl Made {
    /// A call that was not made.
    fn refused(text: String) -> Self {
        Self { text, images: Vec::new(), note: None, outcome: ToolOutcome::Failed }
    }

    /// Returns it as an entry of the conversation.
    pub(super) fn entry(&self, call: &ToolUse) -> Entry {
        Entry::Result {
            call: call.id.clone(),
            tool: call.tool.clone(),
            text: self.text.clone(),
            images: self.images.clone(),
            failed: self.outcome != ToolOutcome::Ok,
        }
    }

    /// Returns it as a message of the history.
    pub(super) fn body(&self, call: &ToolUse) -> Body {
        let file = |(number, image): (usize, &Image)| File {
            name: format!("image-{}", number + 1),
            media_type: image.media_type.clone(),
            bytes: image.bytes.clone(),
        };
        Body::Result {
            call: call.id.clone(),
            tool: call.tool.clone(),
            text: self.text.clone(),
            files: self.images.iter().enumerate().map(file).collect(),
            failed: self.outcome != ToolOutcome::Ok,
        }
    }
}

impl Turn {
    /// Makes the calls of a round. Returns what came of each, in the order of the calls.
    pub(super) async fn make_calls(&mut self, calls: &[ToolUse]) -> Vec<Made> {
        let limit = self.inner.settings.calls;
        let mut made: Vec<Option<Made>> = calls.iter().map(|_| None).collect();
        let mut together = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            if at >= limit {
                made[at] = Some(Made::refused(format!("Not called: {limit} calls in one round are the most (`agent.calls`).")));
                continue;
            }
            let times = self.repeats.times(&call.tool, &call.arguments);
            if times >= self.inner.settings.repeats {
                made[at] = Some(Made::refused(format!(
                    "Not called again: this very call has had the same result {times} times in this turn (`agent.repeats`). \
                     Go on with what you know, or do something else."
                )));
                continue;
            }
            self.calls += 1;
            let job = Job {
                inner: Arc::clone(&self.inner),
                caller: self.caller.clone(),
                call: call.clone(),
                id: CallId::from(format!("{}-call-{}", self.id, self.calls)),
            };
            if self.inner.runs_alone(&call.tool) {
                self.run_together(std::mem::take(&mut together), &mut made).await;
                self.run_together(vec![(at, job)], &mut made).await;
            } else {
                together.push((at, job));
            }
        }
        self.run_together(together, &mut made).await;
        let lost = || Made::refused("The call ended without an answer.".to_owned());
        let made: Vec<_> = made.into_iter().map(|made| made.unwrap_or_else(lost)).collect();
        for (call, made) in calls.iter().zip(&made) {
            self.repeats.made(&call.tool, &call.arguments, &made.text);
        }
        made
    }

    async fn run_together(&self, jobs: Vec<(usize, Job)>, made: &mut [Option<Made>]) {
        let places = Arc::new(Semaphore::new(self.inner.settings.parallel_calls.clamp(1, Semaphore::MAX_PERMITS)));
        // Whoever drops it ends them.
        let mut running = JoinSet::new();
        for (at, job) in jobs {
            let places = Arc::clone(&places);
            let run = async move {
                let _place = places.acquire().await;
                (at, job.run().await)
            };
            // The turn's, for what the tool says in the log.
            running.spawn(run.in_current_span());
        }
        while let Some(ended) = running.join_next().await {
            // One that panicked has no answer, and is told so.
            if let Ok((at, answer)) = ended {
                made[at] = Some(answer);
            }
        }
    }
}

impl Inner {
    /// Tells whether no other call may be made at the same time: whatever may destroy something, and whatever changes what the model
    /// can call.
    fn runs_alone(&self, tool: &str) -> bool {
        match self.kernel.registry().tool(tool) {
            Some(entry) => entry.decl.effect.destructive,
            None => Builtin::is_one(tool),
        }
    }
}

/// A call to make.
struct Job {
    inner: Arc<Inner>,
    caller: Caller,
    call: ToolUse,
    id: CallId,
}

impl Job {
    async fn run(self) -> Made {
        let (at, began) = (self.inner.now(), Instant::now());
        let ToolUse { tool, arguments, .. } = &self.call;
        self.tell(Progress::CallBegan { call: self.id.as_str(), tool, arguments });
        let (result, outcome) = match Builtin::read(tool, arguments) {
            Some(builtin) => self.run_builtin(builtin, began).await,
            None => {
                let called = self.inner.kernel.call_as(&self.id, tool, arguments, &self.caller).await;
                (called.result, called.outcome)
            }
        };
        let micros = micros(began);
        let (mut text, images, note) = match result {
            Ok(reply) => shown(reply),
            Err(error) => (told(&error), Vec::new(), None),
        };
        self.record(at, &text, outcome, micros).await;
        let whole = text.chars().count();
        let limit = self.inner.settings.result_tokens;
        tokens::cut(
            &mut text,
            limit,
            &format!(" [cut: the result has {whole} characters, and `agent.result_tokens` is {limit}]"),
        );
        self.tell(Progress::CallEnded { call: self.id.as_str(), tool, outcome, micros, text: &text });
        let plugin = self.inner.kernel.registry().tool(tool).map(|entry| PluginId::from(entry.decl.plugin.id));
        Made { text, images, note: note.map(|note| (plugin, note)), outcome }
    }

    fn tell(&self, progress: Progress<'_>) {
        if let (Some(session), Some(turn)) = (&self.caller.session, &self.caller.turn) {
            self.inner.surface.progress(session, turn, progress);
        }
    }

    async fn run_builtin(&self, builtin: Result<Builtin>, began: Instant) -> (Result<Reply>, ToolOutcome) {
        let (session, turn) = (self.caller.session.clone(), self.caller.turn.clone());
        let kernel = &self.inner.kernel;
        let ToolUse { tool, arguments, .. } = &self.call;
        let result = match (builtin, &session) {
            (Ok(builtin), Some(of)) => {
                kernel.emit(ToolCallStarted {
                    session: session.clone(),
                    turn: turn.clone(),
                    call: self.id.clone(),
                    tool: tool.clone(),
                    arguments: serde_json::from_str(arguments).unwrap_or_default(),
                });
                self.inner.do_builtin(builtin, of, &self.caller).await
            }
            (Ok(_), None) => Err(Error::new(format!("`{tool}` needs a session"))),
            (Err(error), _) => Err(error),
        };
        let outcome = match &result {
            Ok(_) => ToolOutcome::Ok,
            Err(error) if error.code() == "denied" => ToolOutcome::Denied,
            Err(_) => ToolOutcome::Failed,
        };
        kernel.emit(ToolExecuted { session, turn, call: self.id.clone(), tool: tool.clone(), outcome, micros: micros(began) });
        (result.and_then(nekro_core::IntoReply::into_reply), outcome)
    }

    /// Writes the call down with its whole result.
    async fn record(&self, at: Timestamp, result: &str, outcome: ToolOutcome, micros: u64) {
        let record = CallRecord {
            id: self.id.clone(),
            session: self.caller.session.clone(),
            turn: self.caller.turn.clone(),
            at,
            tool: self.call.tool.clone(),
            arguments: self.call.arguments.clone(),
            result: result.to_owned(),
            outcome,
            micros,
        };
        if let Err(error) = self.inner.history.record_call(record).await {
            tracing::error!(call = %self.id, "the call could not be written: {error}");
        }
    }
}

impl Inner {
    async fn do_builtin(&self, builtin: Builtin, session: &nekro_core::SessionId, caller: &Caller) -> Result<String> {
        match builtin {
            Builtin::Activate { name, rounds } => {
                if !self.can_wake(&name) {
                    return Err(Error::new(format!("there is no plugin `{name}` that sleeps")).with_code("unknown_plugin"));
                }
                let rounds = self.presences.wake(session, &name, rounds);
                Ok(format!("`{name}` is awake for {rounds} rounds, from the next one on."))
            }
            Builtin::SetState { state } => {
                self.set_state(session, &state, caller).await?;
                Ok(format!("Your state is `{state}` now."))
            }
        }
    }
}

/// Returns what the model is shown of an answer, and what enters the history beside it.
fn shown(reply: Reply) -> (String, Vec<Image>, Option<String>) {
    if reply.kind != Kind::Content {
        let text = reply.to_text();
        return (text, Vec::new(), reply.note);
    }
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for part in reply.content {
        match part {
            Part::Image(image) => images.push(image),
            other => texts.push(other.to_text()),
        }
    }
    (texts.join("\n"), images, reply.note)
}

/// Returns what the model is told of an error: how to do better too.
fn told(error: &Error) -> String {
    let mut text = format!("Error ({}): {error}", error.code());
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nHint: {hint}"));
    }
    if error.is_retryable() {
        text.push_str("\nThe same call may succeed later.");
    }
    text
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
