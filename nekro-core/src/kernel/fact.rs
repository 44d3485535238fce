//! Telling the plugins that something has happened.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use serde_json::Value;

use super::{Kernel, Live, mailbox::Put};
use crate::{
    call::{Call, Input},
    caller::Caller,
    event::{Event, Fact},
    ids::{SessionId, TurnId},
};

/// Sees every fact at the moment it is emitted: for event streams and tests. Implemented by the host; it must not wait.
pub trait ObserverPort: Send + Sync {
    /// Sees a fact.
    fn observe(&self, fact: Observed<'_>);
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
    pub(super) fn silences<E: Event>(&self) -> bool {
        // Almost always empty, and then not even hashed.
        !self.silenced.is_empty() && self.silenced.contains(&TypeId::of::<E>())
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
        if live.halted || live.silences::<E>() {
            return;
        }
        let session = Event::session(&event).cloned();
        let fact: Arc<dyn AnyFact> = Arc::new(event);
        for (plugin, _) in &entry.groups {
            if live.plugins[*plugin].is_none() {
                continue;
            }
            let post = Post { fact: Arc::clone(&fact) };
            match self.0.mailboxes[*plugin].put(session.clone(), post, self.limits()) {
                Put::StartWorker => drop(self.0.runtime.spawn(work(self.clone(), *plugin))),
                Put::Waiting => {}
                Put::Dropped => tracing::warn!(
                    plugin = self.registry().plugins()[*plugin].decl.id,
                    event = entry.name,
                    "the mailbox is full (`limits.mailbox` is {}): the event was dropped",
                    self.limits().mailbox,
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
        loop {
            let mut waited = false;
            for mailbox in &self.0.mailboxes {
                waited |= mailbox.idle().await;
            }
            if !waited {
                return;
            }
        }
    }

    /// Calls a plugin's handlers of a fact, one after the other.
    async fn deliver(&self, plugin: usize, fact: &dyn AnyFact) {
        let Some(entry) = self.registry().event_of_type(fact.of_type()) else { return };
        let Some((_, range)) = entry.groups.iter().find(|(of, _)| *of == plugin) else { return };
        let live = self.live();
        let Some(running) = &live.plugins[plugin] else { return };
        let mut caller = Caller::host();
        caller.session = fact.session().cloned();
        caller.turn = fact.turn().cloned();
        for listener in &entry.listeners[range.clone()] {
            let limit = listener.decl.deadline.unwrap_or(self.limits().fact_deadline);
            let call = Call { kernel: self, plugin: running, caller: &caller, limit, input: Input::Event(fact.as_any()) };
            if let Err(failure) = self.call_handler(listener, &call, &mut None::<()>).await {
                let (id, handler) = (running.decl().id, listener.decl.name);
                tracing::warn!(plugin = id, handler, event = entry.name, "a handler failed: {failure}");
            }
        }
    }
}

/// Handles what waits in a plugin's mailbox, until nothing does.
async fn work(kernel: Kernel, plugin: usize) {
    let mailbox = &kernel.0.mailboxes[plugin];
    while let Some((lane, post)) = mailbox.take() {
        kernel.deliver(plugin, &*post.fact).await;
        mailbox.give_back(lane);
    }
}
