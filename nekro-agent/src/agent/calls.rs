//! The calls of one round: made at the same time unless a tool may destroy something, and answered in the model's order.

use std::{
    future::ready,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nekro_core::{
    BoxFuture, CallId, Caller, Error, Image, Kind, Part, PluginId, ProgressReport, Reply, Result, Timestamp,
    event::facts::{ToolCallStarted, ToolExecuted, ToolOutcome},
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{
    Inner,
    builtin::Builtin,
    script::{self, Calls, Lane, Own, Ran, Script, Scripts},
    surface::Progress,
    tokens,
    turn::Turn,
};
use crate::{
    history::{Body, CallRecord, File},
    model::{Entry, ToolUse},
    progress,
};

/// What enters the history beside an answer: whose it is, and its text.
type Note = (Option<PluginId>, String);

/// What came of a call.
pub(super) struct Made {
    /// What the model is shown.
    text: String,
    images: Vec<Image>,
    /// What enters the history beside it.
    pub(super) notes: Vec<Note>,
    outcome: ToolOutcome,
}

impl Made {
    /// A call that was not made.
    fn refused(text: String) -> Self {
        Self { text, images: Vec::new(), notes: Vec::new(), outcome: ToolOutcome::Failed }
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
    /// Makes the calls of a round. Returns what came of each, in the order of the calls. `scripts` runs those of a model that acts by them.
    pub(super) async fn make_calls(&mut self, calls: &[ToolUse], scripts: Option<&Arc<dyn Scripts>>) -> Vec<Made> {
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
                scripts: scripts.cloned(),
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
        match self.kernel.tool(tool) {
            Some(entry) => entry.effect().destructive,
            None => Builtin::is_one(tool) || tool == script::RUN,
        }
    }
}

/// A call to make.
struct Job {
    // What runs scripts, where the model may write them.
    scripts: Option<Arc<dyn Scripts>>,
    inner: Arc<Inner>,
    caller: Caller,
    call: ToolUse,
    id: CallId,
}

impl Job {
    async fn run(self) -> Made {
        if self.call.tool == script::RUN
            && let Some(scripts) = &self.scripts
        {
            return self.run_script(&**scripts).await;
        }
        let (result, outcome, text) = self.make().await;
        let (images, note) = match result {
            Ok(reply) => (images(reply.content), reply.note),
            Err(_) => (Vec::new(), None),
        };
        Made { text, images, notes: note.map(|note| (self.plugin(), note)).into_iter().collect(), outcome }
    }

    /// Makes the call, in front of people, and writes it down. Returns its answer too as a model is shown it.
    async fn make(&self) -> (Result<Reply>, ToolOutcome, String) {
        let (at, began) = (self.inner.now(), Instant::now());
        let ToolUse { tool, arguments, .. } = &self.call;
        self.tell(Progress::CallBegan { call: self.id.as_str(), tool, arguments });
        let own = Own { id: &self.id, function: tool, arguments, caller: &self.caller };
        let own = self.scripts.as_ref().and_then(|scripts| scripts.call_own(&self.inner.kernel, own));
        let (result, outcome) = match (Builtin::read(tool, arguments), own) {
            (Some(builtin), _) => self.run_builtin(builtin, began).await,
            (None, Some(own)) => own.await,
            (None, None) => {
                let kernel = &self.inner.kernel;
                let call = kernel.call_as(&self.id, tool, arguments, &self.caller);
                let tell = |report: ProgressReport| {
                    self.tell(Progress::CallAdvanced { call: self.id.as_str(), tool, report: &report });
                    ready(())
                };
                let called = progress::of_tool(kernel, tool, call, tell).await;
                (called.result, called.outcome)
            }
        };
        let mut text = result.as_ref().map_or_else(told, shown);
        let micros = micros(began);
        self.record(at, &text, outcome, micros).await;
        self.cut(&mut text);
        self.tell(Progress::CallEnded { call: self.id.as_str(), tool, outcome, micros, text: &text });
        (result, outcome, text)
    }

    /// Runs the script of the call. Its own calls are made as any others.
    async fn run_script(&self, scripts: &dyn Scripts) -> Made {
        let (at, began) = (self.inner.now(), Instant::now());
        let mut end = ScriptEnd { job: self, began, outcome: ToolOutcome::Failed };
        let within = Within { job: self, count: AtomicU64::new(0), notes: Mutex::default(), lane: Lane::default() };
        let ran = match script::source(&self.call.arguments) {
            Ok(source) => {
                self.tell(Progress::ScriptBegan { call: self.id.as_str(), source: &source });
                self.tell_of_start();
                let tools: Vec<_> = self.inner.kernel.tools(&self.caller).collect();
                // A token is four bytes or less; the value and the output have half of them each.
                let shown_bytes = usize::try_from(self.inner.settings.result_tokens).unwrap_or(usize::MAX).saturating_mul(2);
                let session = self.caller.session.as_ref();
                let script = Script { source: &source, tools: &tools, own: &|_| true, session, shown_bytes };
                scripts.run(script, &within).await
            }
            Err(error) => Err(error),
        };
        let Ran { mut text, images, failed } =
            ran.unwrap_or_else(|error| Ran { text: told(&error), images: Vec::new(), failed: true });
        let outcome = if failed { ToolOutcome::Failed } else { ToolOutcome::Ok };
        end.outcome = outcome;
        drop(end);
        let micros = micros(began);
        self.record(at, &text, outcome, micros).await;
        self.cut(&mut text);
        self.tell(Progress::ScriptEnded { call: self.id.as_str(), outcome, micros, text: &text });
        Made { text, images, notes: within.notes.into_inner().unwrap_or_else(PoisonError::into_inner), outcome }
    }

    fn plugin(&self) -> Option<PluginId> {
        self.inner.kernel.tool(&self.call.tool).map(|tool| PluginId::from(tool.plugin().id))
    }

    /// Cuts an answer to what the model is shown of it.
    fn cut(&self, text: &mut String) {
        let (whole, limit) = (text.chars().count(), self.inner.settings.result_tokens);
        tokens::cut(text, limit, &format!(" [cut: the result has {whole} characters, and `agent.result_tokens` is {limit}]"));
    }

    fn tell(&self, progress: Progress<'_>) {
        if let (Some(session), Some(turn)) = (&self.caller.session, &self.caller.turn) {
            self.inner.surface.progress(session, turn, progress);
        }
    }

    /// Tells those who are told of calls that one of the agent's own functions is called.
    fn tell_of_start(&self) {
        self.inner.kernel.emit(ToolCallStarted {
            session: self.caller.session.clone(),
            turn: self.caller.turn.clone(),
            call: self.id.clone(),
            tool: self.call.tool.clone(),
            arguments: serde_json::from_str(&self.call.arguments).unwrap_or_default(),
        });
    }

    async fn run_builtin(&self, builtin: Result<Builtin>, began: Instant) -> (Result<Reply>, ToolOutcome) {
        let (session, turn) = (self.caller.session.clone(), self.caller.turn.clone());
        let kernel = &self.inner.kernel;
        let tool = &self.call.tool;
        let result = match (builtin, &session) {
            (Ok(builtin), Some(of)) => {
                self.tell_of_start();
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

/// The calls that a script makes.
struct Within<'a> {
    job: &'a Job,
    count: AtomicU64,
    notes: Mutex<Vec<Note>>,
    lane: Lane,
}

impl Calls for Within<'_> {
    fn call<'a>(&'a self, function: &'a str, arguments: &'a str) -> BoxFuture<'a, Result<Reply>> {
        let Job { inner, caller, id, scripts, .. } = self.job;
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let id = CallId::from(format!("{id}.{number}"));
        let call = ToolUse { id: id.to_string(), tool: function.to_owned(), arguments: arguments.to_owned() };
        let job = Job { inner: Arc::clone(inner), caller: caller.clone(), call, id, scripts: scripts.clone() };
        Box::pin(async move {
            let _place = self.lane.enter(&inner.kernel, function).await;
            let (result, ..) = job.make().await;
            if let Ok(Reply { note: Some(note), .. }) = &result {
                self.notes.lock().unwrap_or_else(PoisonError::into_inner).push((job.plugin(), note.clone()));
            }
            result
        })
    }

    fn printed(&self, text: &str) {
        self.job.tell(Progress::Printed(text));
    }
}

/// Tells how a script ended, also if its turn was stopped.
struct ScriptEnd<'a> {
    job: &'a Job,
    began: Instant,
    outcome: ToolOutcome,
}

impl Drop for ScriptEnd<'_> {
    fn drop(&mut self) {
        let Job { inner, caller, call, id, .. } = self.job;
        inner.kernel.emit(ToolExecuted {
            session: caller.session.clone(),
            turn: caller.turn.clone(),
            call: id.clone(),
            tool: call.tool.clone(),
            outcome: self.outcome,
            micros: micros(self.began),
        });
    }
}

/// Returns what the model is shown of an answer, beside its images.
fn shown(reply: &Reply) -> String {
    if reply.kind != Kind::Content {
        return reply.to_text();
    }
    let texts = reply.content.iter().filter(|part| !matches!(part, Part::Image(_))).map(Part::to_full_text);
    texts.collect::<Vec<_>>().join("\n")
}

fn images(content: Vec<Part>) -> Vec<Image> {
    let image = |part| if let Part::Image(image) = part { Some(image) } else { None };
    content.into_iter().filter_map(image).collect()
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
