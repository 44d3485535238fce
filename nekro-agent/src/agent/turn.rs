//! One turn: from the messages that it answers to the answer.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nekro_core::{
    Caller, Error, Origin, PluginId, Result, Role, TurnId,
    event::{
        FinalVerdict, TurnGate,
        decisions::{FinalAnswerDraft, InterceptStage, MessageIntercept, TurnStarting},
        facts::{FinalAnswer, LlmFallback, LlmResponseChunk, LlmRetry, LlmThinking, MessageInjected, MessageSent, TurnOutcome},
    },
};
use tokio::sync::oneshot;

use super::{
    Inner,
    builtin::Builtin,
    inbound::Ended,
    profile::Profile,
    prompt::{Changes, Prompt},
    repeats::Repeats,
    script::Scripts,
    session::{Session, Waiting},
    settings::DuringTurn,
    surface::Progress,
    tokens,
    window::{cut_long, leave_out_results},
};
use crate::{
    history::{Body, NewMessage, SessionSettings},
    model::{Answer, Chunk, Entry, Model, ModelError, ModelErrorKind, Request, Sink, Spent, Stop, ToolUse},
};

/// What has been said in a turn, also if it breaks off.
#[derive(Default)]
pub(super) struct Said {
    /// What people have seen of an answer that has not been sent.
    pub(super) partial: String,
    /// What was sent.
    pub(super) answer: Option<String>,
    /// Who waits for the end.
    pub(super) done: Vec<oneshot::Sender<Ended>>,
}

/// A turn that is under way.
pub(super) struct Turn {
    pub(super) inner: Arc<Inner>,
    session: Arc<Session>,
    pub(super) id: TurnId,
    // The numbers of the messages that it answers.
    answers: Vec<u64>,
    text: String,
    is_group: bool,
    pub(super) caller: Caller,
    said: Arc<Mutex<Said>>,
    request: Request,
    pub(super) repeats: Repeats,
    pub(super) calls: u64,
    // The names of calls that the model has used.
    used: HashSet<String>,
    // What the model reads first, or may call, is no longer what it was.
    is_outdated: bool,
    // How many tokens the conversation may have.
    room: u64,
}

/// What the session is in this turn.
struct Setting {
    profile: Profile,
    settings: SessionSettings,
    changes: Changes,
    model: Arc<dyn Model>,
    // What runs its scripts, if it acts by them.
    scripts: Option<Arc<dyn Scripts>>,
}

impl Turn {
    pub(super) fn new(
        inner: &Arc<Inner>,
        session: &Arc<Session>,
        id: TurnId,
        messages: Vec<Waiting>,
        said: Arc<Mutex<Said>>,
    ) -> Self {
        let caller = Caller::new(Origin::Model, Role::Admin).in_session(session.id.clone()).in_turn(id.clone());
        let mut turn = Self {
            inner: Arc::clone(inner),
            session: Arc::clone(session),
            id,
            answers: Vec::new(),
            text: String::new(),
            is_group: false,
            caller,
            said,
            request: Request::default(),
            repeats: Repeats::default(),
            calls: 0,
            used: HashSet::new(),
            is_outdated: false,
            room: 0,
        };
        for message in messages {
            turn.take_up(message);
        }
        turn
    }

    /// Makes a message one of those that the turn answers.
    fn take_up(&mut self, message: Waiting) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&message.text);
        self.answers.push(message.number);
        self.is_group |= message.is_group;
        // The model acts for all who have a part in the turn, and so may do only what each of them may.
        self.caller.role = self.caller.role.min(message.role);
        self.caller.user = message.user;
        self.said().done.push(message.done);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs it.
    pub(super) async fn run(mut self) -> Result<TurnOutcome> {
        let (profile, settings) = self.inner.profile(&self.session.id).await?;
        let question = TurnStarting { session: self.session.id.clone(), turn: self.id.clone(), text: self.text.clone() };
        if let TurnGate::Answer { text } = self.inner.kernel.decide(question, &self.caller).await.verdict {
            // Without a model, a retry has nobody to make it: the answer stays.
            let text = match self.draft(&text).await {
                FinalVerdict::Replace { text } => text,
                FinalVerdict::Keep | FinalVerdict::Retry { .. } => text,
            };
            return self.send(Answer { text, ..Answer::default() }, None, TurnOutcome::Answered).await;
        }
        let scripts = self.inner.scripts(profile.model.as_deref())?;
        let by_scripts = scripts.is_some();
        let mut changes = self.inner.changes(&self.session.id, &self.id, &self.text, &self.caller, by_scripts).await;
        self.inner.presences.grant(&self.session.id, std::mem::take(&mut changes.additions.tools));
        let before = self.inner.history.usage(&self.session.id).await?;
        let mut spent = Spent::default();
        spent.add(before.usage, Some(before.cost_micros));
        let model = self.inner.models.for_turn(profile.model.as_deref(), spent)?;
        let setting = Setting { profile, settings, changes, model, scripts };
        self.prepare(&setting, self.inner.settings.context_tokens).await?;
        self.rounds(setting).await
    }

    /// Puts together what the model is sent.
    async fn prepare(&mut self, setting: &Setting, context: u64) -> Result<()> {
        let prompt = self.compose(setting).await;
        let inner = Arc::clone(&self.inner);
        let room = inner.settings.answer_tokens.map_or(context / 8, u64::from);
        // However long the rest is, the conversation has a quarter.
        let budget = context.saturating_sub(prompt.tokens() + room).max(context / 4);
        self.room = budget;
        let mut window = inner.load(&self.session.id, &self.session.waiting()).await?;
        // What is answered stands last, also if it came before the last answer.
        let first = self.answers.first().copied().unwrap_or(u64::MAX);
        let answers = &self.answers;
        let now = window.take(|message| {
            answers.contains(&message.number)
                || (message.number > first && message.turn.is_none() && is_of_person_without_text(&message.body))
        });
        let mut now = now.entries(self.is_group);
        cut_long(&mut now, budget / 2);
        let of_now: u64 = now.iter().map(tokens::of_entry).sum();
        let model = Arc::clone(&setting.model);
        let window = inner.make_room(&self.session.id, &self.id, window, budget.saturating_sub(of_now), &*model).await?;
        let mut entries = window.entries(self.is_group);
        cut_long(&mut entries, budget / 2);
        entries.extend(now);
        self.request = Request {
            system: prompt.system(),
            entries,
            tools: prompt.specs(),
            prefill: setting.changes.additions.prefill.clone(),
            max_output_tokens: inner.settings.answer_tokens,
            temperature: inner.settings.temperature,
        };
        Ok(())
    }

    async fn compose(&self, setting: &Setting) -> Prompt {
        let Setting { profile, settings, changes, scripts, .. } = setting;
        self.inner.compose(&self.session.id, &self.caller, profile, settings, changes, scripts.as_deref()).await
    }

    /// Asks the model, and makes its calls, until it has answered.
    async fn rounds(&mut self, mut setting: Setting) -> Result<TurnOutcome> {
        let most = self.inner.settings.rounds;
        let mut stage = Some(InterceptStage::BeforeModel);
        let mut may_retry = true;
        let mut reasoning = String::new();
        let mut round = 0;
        loop {
            round += 1;
            // After the last round the model has to answer with what it has.
            let is_last = round > most;
            if round > 1 {
                if std::mem::take(&mut self.is_outdated) {
                    self.refresh(&mut setting).await?;
                }
                leave_out_results(&mut self.request.entries, self.room);
                self.take_injected().await;
            }
            if let Some(stage) = stage.take() {
                let texts = self.intercept(stage, round).await;
                self.put_in(texts, false).await?;
            }
            if is_last {
                let text = format!("You have called tools in {most} rounds, which is the most (`agent.rounds`). Answer now.");
                self.request.entries.push(Entry::Notice { text });
                self.request.tools.clear();
            }
            let mut answer = self.ask(&setting, round).await?;
            self.inner.count(&self.session.id, &self.id, &answer).await;
            reasoning.push_str(&answer.reasoning);
            if let Some(prefill) = self.request.prefill.take()
                && !answer.text.starts_with(&prefill)
            {
                answer.text.insert_str(0, &prefill);
            }
            if !answer.calls.is_empty() && !is_last {
                self.carry_out(answer, setting.scripts.as_ref()).await?;
                self.is_outdated |= self.inner.presences.count_round(&self.session.id);
                stage = Some(InterceptStage::AfterTools);
                continue;
            }
            self.is_outdated |= self.inner.presences.count_round(&self.session.id);
            if answer.stop == Stop::Filtered && answer.text.is_empty() {
                return Err(Error::new("the provider held the answer back").with_code("filtered"));
            }
            if !is_last {
                let texts = self.intercept(InterceptStage::BeforeAnswer, round).await;
                if !texts.is_empty() {
                    self.do_over(answer.text, texts).await?;
                    continue;
                }
            }
            answer.reasoning = std::mem::take(&mut reasoning);
            if is_last {
                return self.close(answer, most).await;
            }
            match self.draft(&answer.text).await {
                FinalVerdict::Keep => {}
                FinalVerdict::Replace { text } => answer.text = text,
                FinalVerdict::Retry { reason } if may_retry => {
                    may_retry = false;
                    self.do_over(answer.text, vec![reason]).await?;
                    continue;
                }
                FinalVerdict::Retry { .. } => {}
            }
            let model = answer.model.clone();
            return self.send(answer, Some(model), TurnOutcome::Answered).await;
        }
    }

    /// Ends a turn that has reached its rounds, with what the model has.
    async fn close(&mut self, mut answer: Answer, most: u32) -> Result<TurnOutcome> {
        if answer.text.trim().is_empty() {
            answer.text = format!("I have called tools in {most} rounds and have no answer yet (`agent.rounds`).");
        }
        if let FinalVerdict::Replace { text } = self.draft(&answer.text).await {
            answer.text = text;
        }
        let model = answer.model.clone();
        self.send(answer, Some(model), TurnOutcome::Limit).await
    }

    /// Before another round: a plugin was woken or fell asleep, or the state is another one.
    async fn refresh(&mut self, setting: &mut Setting) -> Result<()> {
        let (_, settings) = self.inner.profile(&self.session.id).await?;
        setting.settings = settings;
        let prompt = self.compose(setting).await;
        self.request.system = prompt.system();
        self.request.tools = prompt.specs();
        self.room = self.inner.settings.context_tokens.saturating_sub(prompt.tokens());
        Ok(())
    }

    /// Takes the messages that have come meanwhile into the turn.
    async fn take_injected(&mut self) {
        if self.inner.settings.during_turn != DuringTurn::Inject {
            return;
        }
        for message in self.session.take_waiting() {
            self.inner.kernel.emit(MessageInjected {
                session: self.session.id.clone(),
                turn: self.id.clone(),
                message: message.message.clone(),
                text: message.text.clone(),
            });
            let name = message.user.as_ref().filter(|_| message.is_group).map(ToString::to_string);
            self.request.entries.push(Entry::Person { name, text: message.text.clone(), images: Vec::new() });
            self.take_up(message);
        }
    }

    async fn intercept(&self, stage: InterceptStage, round: u32) -> Vec<String> {
        let question = MessageIntercept { session: self.session.id.clone(), turn: self.id.clone(), stage, round };
        self.inner.kernel.decide(question, &self.caller).await.verdict.texts
    }

    async fn draft(&self, text: &str) -> FinalVerdict {
        let question = FinalAnswerDraft { session: self.session.id.clone(), turn: self.id.clone(), text: text.to_owned() };
        self.inner.kernel.decide(question, &self.caller).await.verdict
    }

    /// Tells the model something, and keeps it.
    async fn put_in(&mut self, texts: Vec<String>, hidden: bool) -> Result<()> {
        if texts.is_empty() {
            return Ok(());
        }
        let bodies = texts.iter().map(|text| Body::Notice { plugin: None, text: text.clone(), original: None }).collect();
        self.keep(bodies, hidden).await?;
        self.request.entries.extend(texts.into_iter().map(|text| Entry::Notice { text }));
        Ok(())
    }

    /// Does not send an answer, and lets the model make another. In later turns, it does not see that.
    async fn do_over(&mut self, draft: String, texts: Vec<String>) -> Result<()> {
        let body = Body::Answer { plugin: None, model: None, text: draft.clone(), reasoning: String::new(), calls: Vec::new() };
        self.keep(vec![body], true).await?;
        self.said().partial.clear();
        self.request.entries.push(Entry::Answer { text: draft, calls: Vec::new() });
        self.put_in(texts, true).await
    }

    async fn keep(&self, bodies: Vec<Body>, hidden: bool) -> Result<Vec<crate::history::Message>> {
        let new = |body| NewMessage { turn: Some(self.id.clone()), hidden, body };
        self.inner.history.append(&self.session.id, bodies.into_iter().map(new).collect()).await
    }

    /// Makes the calls of an answer, and tells the model what came of them.
    async fn carry_out(&mut self, answer: Answer, scripts: Option<&Arc<dyn Scripts>>) -> Result<()> {
        let Answer { model, text, reasoning, mut calls, .. } = answer;
        self.name_calls(&mut calls);
        let body = Body::Answer { plugin: None, model: Some(model), text: text.clone(), reasoning, calls: calls.clone() };
        self.keep(vec![body], false).await?;
        self.said().partial.clear();
        self.is_outdated |= calls.iter().any(|call| Builtin::is_one(&call.tool));
        let made = self.make_calls(&calls, scripts).await;
        self.request.entries.push(Entry::Answer { text, calls: calls.clone() });
        let mut bodies = Vec::new();
        for (call, made) in calls.iter().zip(&made) {
            bodies.push(made.body(call));
            self.request.entries.push(made.entry(call));
        }
        for (plugin, text) in made.into_iter().flat_map(|made| made.notes) {
            self.request.entries.push(Entry::Notice { text: text.clone() });
            bodies.push(note(plugin, text));
        }
        self.keep(bodies, false).await.map(drop)
    }

    /// Results are matched by the names of their calls: one that a model uses twice in a turn, or leaves empty, gets another.
    fn name_calls(&mut self, calls: &mut [ToolUse]) {
        for call in calls {
            if call.id.is_empty() || self.used.contains(&call.id) {
                call.id = format!("{}-{}", call.id, self.used.len() + 1);
            }
            self.used.insert(call.id.clone());
        }
    }

    /// Asks the model, once more with less if that was too much for it.
    async fn ask(&mut self, setting: &Setting, round: u32) -> Result<Answer> {
        match self.ask_once(&*setting.model, round).await {
            Err(error) if error.kind == ModelErrorKind::TooLong && round == 1 => {
                tracing::warn!(session = %self.session.id, "{error}: asked again with half of `agent.context_tokens`");
                self.prepare(setting, self.inner.settings.context_tokens / 2).await?;
                self.ask_once(&*setting.model, round).await
            }
            asked => asked,
        }
        .map_err(|error| as_error(&error))
    }

    async fn ask_once(&self, model: &dyn Model, round: u32) -> Result<Answer, ModelError> {
        let (session, turn) = (&self.session.id, &self.id);
        let name = model.name();
        self.inner.kernel.emit(LlmThinking { session: session.clone(), turn: turn.clone(), model: name.to_owned(), round });
        self.inner.surface.progress(session, turn, Progress::Thinking { model: name, round });
        let mut stream = Stream { turn: self, model: name.to_owned(), attempt: 1 };
        model.ask(&self.request, &mut stream).await
    }

    /// Keeps an answer and sends it.
    async fn send(&mut self, answer: Answer, model: Option<String>, outcome: TurnOutcome) -> Result<TurnOutcome> {
        if answer.text.trim().is_empty() {
            return Ok(TurnOutcome::Silent);
        }
        let (session, turn) = (self.session.id.clone(), self.id.clone());
        let Answer { text, reasoning, .. } = answer;
        let body = Body::Answer { plugin: None, model, text: text.clone(), reasoning, calls: Vec::new() };
        let kept = self.keep(vec![body], false).await?;
        self.said().answer = Some(text.clone());
        let kernel = &self.inner.kernel;
        kernel.emit(FinalAnswer { session: session.clone(), turn, text: text.clone() });
        self.inner.surface.send(&session, &text).await?;
        if let Some(message) = kept.into_iter().next() {
            kernel.emit(MessageSent { session, message: message.id, text, plugin: None });
        }
        Ok(outcome)
    }
}

/// What plugins offered for this turn is not offered in the next one.
impl Drop for Turn {
    fn drop(&mut self) {
        self.inner.presences.grant(&self.session.id, BTreeSet::new());
    }
}

/// Files that came with a message are written after it, without a text.
fn is_of_person_without_text(body: &Body) -> bool {
    matches!(body, Body::Person { text, .. } if text.is_empty())
}

fn note(plugin: Option<PluginId>, text: String) -> Body {
    Body::Notice { plugin, text, original: None }
}

fn as_error(error: &ModelError) -> Error {
    let (code, hint) = match error.kind {
        ModelErrorKind::Unavailable => ("model_unavailable", None),
        ModelErrorKind::RateLimited => ("model_rate_limited", None),
        ModelErrorKind::Unauthorized => ("model_unauthorized", Some("check the key of the model in the settings")),
        ModelErrorKind::BadRequest => ("model_bad_request", None),
        ModelErrorKind::TooLong => ("model_too_long", Some("set `agent.context_tokens` to what the model can read")),
        ModelErrorKind::Budget => ("budget", None),
    };
    let told = Error::new(error.message.clone()).with_code(code);
    let told = if error.is_transient() { told.retryable() } else { told };
    match hint {
        Some(hint) => told.with_hint(hint),
        None => told,
    }
}

/// Passes on an answer while it comes.
struct Stream<'a> {
    turn: &'a Turn,
    model: String,
    attempt: u32,
}

impl Sink for Stream<'_> {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        let Turn { inner, session, id, .. } = self.turn;
        let (session, kernel) = (&session.id, &inner.kernel);
        match chunk {
            Chunk::Text(text) => {
                self.turn.said().partial.push_str(text);
                inner.surface.progress(session, id, Progress::Text(text));
                if kernel.is_observed::<LlmResponseChunk>() {
                    kernel.emit(LlmResponseChunk { session: session.clone(), turn: id.clone(), text: text.to_owned() });
                }
            }
            Chunk::Reasoning(text) => inner.surface.progress(session, id, Progress::Reasoning(text)),
            Chunk::Restart { model, fallback, reason, wait_ms } => {
                self.turn.said().partial.clear();
                inner.surface.progress(session, id, Progress::Restart { model, reason, wait_ms });
                let (session, turn, reason) = (session.clone(), id.clone(), reason.to_owned());
                if fallback {
                    let from = std::mem::replace(&mut self.model, model.to_owned());
                    self.attempt = 1;
                    kernel.emit(LlmFallback { session, turn, from, to: model.to_owned(), reason });
                } else {
                    self.attempt += 1;
                    let (model, attempt) = (model.to_owned(), self.attempt);
                    kernel.emit(LlmRetry { session, turn, model, attempt, reason });
                }
            }
        }
    }
}
