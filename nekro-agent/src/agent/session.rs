//! A session in memory: what waits in its queue, and the turn that is under way.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nekro_core::{MessageId, Role, SessionId, TurnId, UserId, event::facts::TurnOutcome};
use tokio::{sync::oneshot, task::AbortHandle, time::Instant};

use super::inbound::Ended;

/// The sessions in which something is going on. One that rests is not kept.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<SessionId, Arc<Session>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a session, if something is going on in it.
    pub(super) fn get(&self, id: &SessionId) -> Option<Arc<Session>> {
        self.lock().get(id).cloned()
    }

    /// Returns a session.
    pub(super) fn enter(&self, id: &SessionId) -> Arc<Session> {
        let mut sessions = self.lock();
        let session = sessions.entry(id.clone()).or_insert_with(|| Arc::new(Session::new(id.clone())));
        Arc::clone(session)
    }

    /// Lets go of a session that the caller is done with, if it is the last one and nothing is going on.
    pub(super) fn leave(&self, session: Arc<Session>) {
        let mut sessions = self.lock();
        // This map's and the caller's.
        if Arc::strong_count(&session) == 2 && session.is_at_rest() {
            sessions.remove(&session.id);
        }
    }

    /// Returns every session in which something is going on.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().values().cloned().collect()
    }
}

/// A session.
pub(super) struct Session {
    pub(super) id: SessionId,
    /// Held from the moment a message is stored until it is in the queue: messages go on in the order in which they were stored.
    pub(super) door: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    // Somebody takes from the queue.
    is_served: bool,
    turn: Option<Current>,
}

/// The turn that is under way.
struct Current {
    id: TurnId,
    // What runs it, once it does.
    task: Option<AbortHandle>,
    is_stopped: bool,
}

/// A message in the queue. Its text is in the history.
pub(super) struct Waiting {
    pub(super) message: MessageId,
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) user: Option<UserId>,
    pub(super) role: Role,
    pub(super) is_group: bool,
    pub(super) since: Instant,
    pub(super) done: oneshot::Sender<Ended>,
}

/// What became of a message that was to be put into the queue.
pub(super) enum Put {
    /// It is in, and nobody takes from the queue: the caller sees to that.
    Serve,
    /// It is in.
    Waits,
    /// There is no place.
    Full,
}

/// What there is to do.
pub(super) enum Next {
    /// Nothing.
    Rest,
    /// More may come.
    WaitUntil(Instant),
    /// Something to answer.
    Ready,
}

impl Session {
    fn new(id: SessionId) -> Self {
        Self { id, door: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_at_rest(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && !state.is_served && state.turn.is_none()
    }

    /// Puts a message into the queue, unless so many wait.
    pub(super) fn put(&self, message: Waiting, limit: usize) -> Put {
        let mut state = self.lock();
        if state.waiting.len() >= limit {
            return Put::Full;
        }
        state.waiting.push_back(message);
        if std::mem::replace(&mut state.is_served, true) { Put::Waits } else { Put::Serve }
    }

    /// Says what there is to do for whoever takes from the queue. If that is nothing, nobody takes from it any more.
    pub(super) fn next(&self, debounce: Duration) -> Next {
        let mut state = self.lock();
        let Some(last) = state.waiting.back() else {
            state.is_served = false;
            return Next::Rest;
        };
        match last.since.checked_add(debounce) {
            Some(until) if until > Instant::now() => Next::WaitUntil(until),
            _ => Next::Ready,
        }
    }

    /// Nobody takes from the queue any more. Returns whether somebody should.
    pub(super) fn desert(&self) -> bool {
        let mut state = self.lock();
        state.is_served = !state.waiting.is_empty();
        state.is_served
    }

    /// Begins a turn with the messages that wait: the first one, or all.
    pub(super) fn begin(&self, all: bool) -> Option<(TurnId, Vec<Waiting>)> {
        let mut state = self.lock();
        let count = if all { state.waiting.len() } else { state.waiting.len().min(1) };
        let taken: Vec<_> = state.waiting.drain(..count).collect();
        // Each message is taken once, so the name is new.
        let id = TurnId::from(format!("{}-turn-{}", self.id, taken.last()?.number));
        state.turn = Some(Current { id: id.clone(), task: None, is_stopped: false });
        Some((id, taken))
    }

    /// Says what runs the turn.
    pub(super) fn runs(&self, task: AbortHandle) {
        if let Some(turn) = &mut self.lock().turn {
            if turn.is_stopped {
                task.abort();
            }
            turn.task = Some(task);
        }
    }

    /// The turn has ended.
    pub(super) fn end(&self) {
        self.lock().turn = None;
    }

    /// Returns the turn that is under way.
    pub(super) fn turn(&self) -> Option<TurnId> {
        self.lock().turn.as_ref().map(|turn| turn.id.clone())
    }

    /// Takes everything out of the queue, to put it into the turn that is under way.
    pub(super) fn take_waiting(&self) -> Vec<Waiting> {
        self.lock().waiting.drain(..).collect()
    }

    /// Returns the numbers of the messages that wait.
    pub(super) fn waiting(&self) -> Vec<u64> {
        self.lock().waiting.iter().map(|one| one.number).collect()
    }

    /// Ends the turn that is under way and empties the queue. Returns whether there was anything to stop.
    pub(super) fn stop(&self) -> bool {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        let any = !waiting.is_empty() || state.turn.is_some();
        if let Some(turn) = &mut state.turn {
            turn.is_stopped = true;
            if let Some(task) = &turn.task {
                task.abort();
            }
        }
        drop(state);
        for one in waiting {
            // Nobody may be waiting for it.
            let _ = one.done.send(Ended { turn: None, outcome: TurnOutcome::Cancelled, answer: None, problem: None });
        }
        any
    }
}
