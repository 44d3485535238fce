//! Taking messages from a session's queue: one turn after the other, each of which ends once.

use std::{
    any::Any,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use nekro_core::{
    Error, SessionId, TurnId,
    event::facts::{AgentBusyChanged, ProcessingStarted, TurnBegin, TurnComplete, TurnOutcome},
};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    AtWork, Inner,
    inbound::Ended,
    session::{Next, Session, Waiting},
    settings::DuringTurn,
    surface::Progress,
    turn::{Said, Turn},
};
use crate::history::{self, Body, NewMessage};

/// Takes from the session's queue until it is empty, and then lets go of it.
pub(super) fn serve(inner: &Arc<Inner>, session: &Arc<Session>) {
    let worker = Worker { at_work: inner.at_work(), session: Some(Arc::clone(session)) };
    drop(tokio::spawn(worker.work()));
}

struct Worker {
    at_work: AtWork,
    // There until the end.
    session: Option<Arc<Session>>,
}

impl Worker {
    async fn work(mut self) {
        let Some(session) = self.session.clone() else { return };
        let inner = Arc::clone(&self.at_work.0);
        loop {
            match session.next(inner.settings.debounce) {
                Next::Rest => break,
                Next::WaitUntil(until) => tokio::time::sleep_until(until).await,
                Next::Ready => {
                    // The semaphore is never closed.
                    let _permit = inner.permits.acquire().await;
                    // What came while it waited for its place belongs to it too; and what waited may have been stopped.
                    let all = inner.settings.during_turn == DuringTurn::Inject || !inner.settings.debounce.is_zero();
                    if let Some((id, messages)) = session.begin(all) {
                        inner.take_turn(&session, id, messages).await;
                    }
                }
            }
        }
        self.session = None;
        inner.sessions.leave(session);
    }
}

/// A worker that ends before its time, by a mistake of ours, is replaced: what waits is not lost.
impl Drop for Worker {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        session.end();
        if session.desert() && std::thread::panicking() {
            serve(&self.at_work.0, &session);
        }
    }
}

impl Inner {
    /// Runs one turn, from its beginning to its end.
    async fn take_turn(self: &Arc<Self>, session: &Arc<Session>, id: TurnId, messages: Vec<Waiting>) {
        for message in &messages {
            self.kernel.emit(ProcessingStarted { session: session.id.clone(), message: message.message.clone() });
        }
        let answers = messages.last().map(|last| last.message.clone());
        let record = history::Turn { id: id.clone(), session: session.id.clone(), message: answers.clone(), began: self.now() };
        if let Err(error) = self.history.begin_turn(record).await {
            // A turn that is not written down might never be ended after a crash: it does not begin.
            session.end();
            let problem = format!("the turn could not begin: {error}");
            tracing::error!(session = %session.id, turn = %id, "{problem}");
            self.surface.progress(&session.id, &id, Progress::Ended { outcome: TurnOutcome::Failed, problem: Some(&problem) });
            let ended = Ended { turn: None, outcome: TurnOutcome::Failed, answer: None, problem: Some(problem) };
            messages.into_iter().for_each(|message| drop(message.done.send(ended.clone())));
            return;
        }
        self.kernel.emit(AgentBusyChanged { session: session.id.clone(), busy: true });
        self.kernel.emit(TurnBegin { session: session.id.clone(), turn: id.clone(), message: answers });
        let end = End { inner: self, session: &session.id, turn: &id, began: Instant::now(), is_told: AtomicBool::new(false) };
        let said = Arc::new(Mutex::new(Said::default()));
        let turn = Turn::new(self, session, id.clone(), messages, Arc::clone(&said));
        let task = tokio::spawn(turn.run().instrument(tracing::info_span!("turn", session = %session.id, turn = %id)));
        session.runs(task.abort_handle());
        let (outcome, problem) = match task.await {
            Ok(Ok(outcome)) => (outcome, None),
            Ok(Err(error)) => (TurnOutcome::Failed, Some(told(&error))),
            Err(stopped) if stopped.is_cancelled() => (TurnOutcome::Cancelled, None),
            Err(panic) => (TurnOutcome::Failed, Some(format!("the turn panicked: {}", message(&*panic.into_panic())))),
        };
        let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
        self.keep_partial(session, &id, outcome, &said).await;
        if let Err(error) = self.history.end_turn(&id, outcome, end.micros()).await {
            tracing::error!(session = %session.id, turn = %id, "the end of the turn could not be written: {error}");
        }
        if let Some(problem) = &problem {
            tracing::warn!(session = %session.id, turn = %id, "the turn failed: {problem}");
        }
        session.end();
        end.tell(outcome);
        self.surface.progress(&session.id, &id, Progress::Ended { outcome, problem: problem.as_deref() });
        let ended = Ended { turn: Some(id.clone()), outcome, answer: said.answer, problem };
        // Nobody may be waiting for it.
        said.done.into_iter().for_each(|done| drop(done.send(ended.clone())));
    }

    /// Keeps what people have seen of an answer that broke off, so that the model knows of it too.
    async fn keep_partial(&self, session: &Session, turn: &TurnId, outcome: TurnOutcome, said: &Said) {
        if said.answer.is_some() || said.partial.trim().is_empty() {
            return;
        }
        let why = if outcome == TurnOutcome::Cancelled { "stopped" } else { "broken off" };
        let body = Body::Answer {
            plugin: None,
            model: None,
            text: format!("{} [{why}]", said.partial),
            reasoning: String::new(),
            calls: Vec::new(),
        };
        let message = NewMessage { turn: Some(turn.clone()), hidden: false, body };
        if let Err(error) = self.history.append(&session.id, vec![message]).await {
            tracing::warn!(session = %session.id, turn = %turn, "what was said so far could not be kept: {error}");
        }
    }
}

fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// Tells the end of a turn once: at the latest when it is dropped, which is when the whole agent is.
struct End<'a> {
    inner: &'a Inner,
    session: &'a SessionId,
    turn: &'a TurnId,
    began: Instant,
    is_told: AtomicBool,
}

impl End<'_> {
    fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn tell(&self, outcome: TurnOutcome) {
        if self.is_told.swap(true, Ordering::SeqCst) {
            return;
        }
        self.inner.kernel.emit(TurnComplete {
            session: self.session.clone(),
            turn: self.turn.clone(),
            outcome,
            micros: self.micros(),
        });
        self.inner.kernel.emit(AgentBusyChanged { session: self.session.clone(), busy: false });
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.tell(TurnOutcome::Cancelled);
    }
}
