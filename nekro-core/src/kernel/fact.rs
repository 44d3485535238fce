//! Telling the plugins that something has happened.

use std::{
    any::{Any, TypeId},
    fmt,
    ops::Range,
    sync::Arc,
};

use serde_json::Value;
use tracing::{Instrument, Span, field};

use super::{
    Kernel, Live,
    guard::{guarded, limited},
    mailbox::{Lane, Put},
};
use crate::{
    call::{Call, Input},
    caller::Caller,
    event::{Event, Fact},
    handler::HandlerBody,
    ids::{SessionId, TurnId},
};

/// Sees every fact at the moment it is emitted: for event streams and tests. Implemented by the host; it must not wait.
pub trait ObserverPort: Send + Sync {
    /// Sees a fact.
    fn observe(&self, fact: Observed<'_>);

    /// Tells whether it wants to see the facts about tool calls, which costs every call some time. Without it, they are emitted only if
    /// a plugin wants them.
    fn wants_calls(&self) -> bool {
        true
    }
}

/// A fact, as an observer sees it.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    name: &'a str,
    fact: &'a dyn AnyFact,
}

impl<'a> Observed<'a> {
    /// Returns the name on the wire.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the conversation that it happened in.
    pub fn session(&self) -> Option<&'a SessionId> {
        self.fact.session()
    }

    /// Returns the fact, if it is an `E`.
    pub fn get<E: Fact>(&self) -> Option<&'a E> {
        self.fact.as_any().downcast_ref()
    }

    /// Returns the fact as JSON.
    pub fn to_json(&self) -> Value {
        self.fact.to_json()
    }
}

impl fmt::Debug for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.to_json())
    }
}

/// A fact on its way to one plugin.
pub(crate) struct Post {
    fact: Arc<dyn AnyFact>,
    // Which of the event's listeners are the plugin's.
    listeners: Range<usize>,
}

impl Post {
    /// Returns what an entry of the log says of its place. It is nothing while nobody listens to the log.
    fn span(&self) -> Span {
        let span = tracing::info_span!("fact", session = field::Empty, turn = field::Empty);
        if !span.is_disabled() {
            self.fact.session().map(|session| span.record("session", field::display(session)));
            self.fact.turn().map(|turn| span.record("turn", field::display(turn)));
        }
        span
    }
}

/// A fact, without its type.
trait AnyFact: Send + Sync {
    fn of_type(&self) -> TypeId;
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    fn session(&self) -> Option<&SessionId>;
    fn turn(&self) -> Option<&TurnId>;
    fn to_json(&self) -> Value;
}

impl<E: Fact> AnyFact for E {
    fn of_type(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn session(&self) -> Option<&SessionId> {
        Event::session(self)
    }

    fn turn(&self) -> Option<&TurnId> {
        Event::turn(self)
    }

    fn to_json(&self) -> Value {
        // A field without a JSON form is the author's mistake, and no reason to lose the others' event stream.
        serde_json::to_value(self).unwrap_or_else(|error| Value::String(format!("not serialisable: {error}")))
    }
}

impl Live {
    pub(super) fn silences(&self, of: TypeId) -> bool {
        // Almost always empty, and then not even hashed.
        !self.silenced.is_empty() && self.silenced.contains(&of)
    }
}

impl Kernel {
    /// Emits a fact: puts it into the mailbox of every plugin that listens. Never waits, and may be called from any thread.
    pub fn emit<E: Fact>(&self, event: E) {
        let Some(entry) = self.registry().event_of::<E>() else { return };
        if let Some(observer) = &self.0.observer {
            observer.observe(Observed { name: &entry.name, fact: &event });
        }
        if entry.groups.is_empty() {
            return;
        }
        let live = self.live();
        if live.halted || live.silences(TypeId::of::<E>()) {
            return;
        }
        let session = Event::session(&event).cloned();
        let fact: Arc<dyn AnyFact> = Arc::new(event);
        let channel = live.channel(session.as_ref());
        for (plugin, listeners) in &entry.groups {
            if live.plugin(channel, *plugin).is_none() {
                continue;
            }
            let post = Post { fact: Arc::clone(&fact), listeners: listeners.clone() };
            match self.0.mailboxes[*plugin].put(session.clone(), post, self.limits_of(*plugin)) {
                Put::StartWorker => Worker::start(self.clone(), *plugin),
                Put::Waiting => {}
                Put::Dropped => tracing::warn!(
                    plugin = self.registry().plugins()[*plugin].decl.id,
                    event = entry.name,
                    "the mailbox is full ({} is {}): the event was dropped",
                    self.mailbox_limit(*plugin),
                    self.limits_of(*plugin).mailbox,
                ),
            }
        }
    }

    /// Tells whether anybody would be told of a fact, so that nothing is prepared for nobody.
    #[inline]
    pub fn is_observed<E: Fact>(&self) -> bool {
        self.0.observer.is_some() || self.registry().event_of::<E>().is_some_and(|event| !event.groups.is_empty())
    }

    /// Waits until no fact waits or is being handled, also those that handlers emit meanwhile.
    pub async fn idle(&self) {
        // One mailbox after the other was idle, but each may have been filled from another meanwhile. If none was, they were idle
        // together between the two rounds.
        let mut before = Vec::new();
        loop {
            let mut accepted = Vec::with_capacity(self.0.mailboxes.len());
            for mailbox in &self.0.mailboxes {
                accepted.push(mailbox.idle().await);
            }
            if accepted == before {
                return;
            }
            before = accepted;
        }
    }

    /// Calls a plugin's handlers of a fact, one after the other.
    async fn deliver(&self, plugin: usize, Post { fact, listeners }: &Post) {
        let Some(entry) = self.registry().event_of_type(fact.of_type()) else { return };
        {
            let live = self.0.live.load();
            if live.halted || live.silences(fact.of_type()) {
                return;
            }
        }
        let Some(running) = self.running(plugin, fact.session()) else { return };
        let mut caller = Caller::host();
        caller.session = fact.session().cloned();
        caller.turn = fact.turn().cloned();
        for listener in &entry.listeners[listeners.clone()] {
            let limit = listener.decl.deadline.unwrap_or(self.limits().fact_deadline);
            let call = Call { kernel: self, plugin: &running, caller: &caller, limit, input: Input::Event(fact.as_any()) };
            let mut answer = None::<()>;
            let result = match (self.admit(listener), listener.decl.body) {
                (Err(failure), _) => Err(failure),
                (Ok(pass), HandlerBody::Sync(body)) => self.tell_breaker(listener, pass, guarded(|| body(&call, &mut answer))),
                (Ok(pass), HandlerBody::Async(body)) => {
                    let result = limited(body(&call, &mut answer), limit).await;
                    self.tell_breaker(listener, pass, result)
                }
            };
            if let Err(failure) = result {
                let (id, handler) = (running.decl().id, listener.decl.name);
                tracing::warn!(plugin = id, handler, event = entry.name, "a handler failed: {failure}");
            }
        }
    }
}

/// Handles what waits in a plugin's mailbox, until nothing does.
struct Worker {
    kernel: Kernel,
    plugin: usize,
    // Of the fact that it is handling.
    lane: Option<Lane>,
    ended: bool,
}

impl Worker {
    /// Starts one, for which the mailbox has made place.
    fn start(kernel: Kernel, plugin: usize) {
        let runtime = kernel.0.runtime.clone();
        let worker = Self { kernel, plugin, lane: None, ended: false };
        drop(runtime.spawn(worker.work()));
    }

    async fn work(mut self) {
        while let Some((lane, post)) = self.kernel.0.mailboxes[self.plugin].take() {
            self.lane = Some(lane);
            let span = post.span();
            self.kernel.deliver(self.plugin, &post).instrument(span).await;
            drop(post);
            self.give_back();
            // Handlers that never wait, and emit what they listen to, would otherwise never let go of the thread.
            tokio::task::coop::consume_budget().await;
        }
        self.ended = true;
    }

    fn give_back(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.kernel.0.mailboxes[self.plugin].give_back(lane);
        }
    }
}

/// A worker may end before its time: a fact's destructor panicked, or the runtime is ending. Nothing that waits is left stuck.
impl Drop for Worker {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.give_back();
        if std::thread::panicking() {
            Self::start(self.kernel.clone(), self.plugin);
        } else {
            self.kernel.0.mailboxes[self.plugin].abandon();
        }
    }
}
