//! Making a decision: handlers one after the other, and their verdicts merged.

use std::{any::TypeId, sync::Arc};

use super::{
    Kernel, Live,
    breaker::Pass,
    entry::Listener,
    guard::{Failure, guarded, limited},
};
use crate::{
    call::{Call, Input},
    caller::Caller,
    event::{Decision, Event, Verdict},
    handler::HandlerBody,
};

/// What was decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decided<E: Decision> {
    /// The event, with what the handlers changed.
    pub event: E,
    /// The merged verdict.
    pub verdict: E::Answer,
    /// The handlers that failed. A guard among them has counted as a refusal.
    pub failed: Vec<Failed>,
}

/// A handler that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// Its plugin.
    pub plugin: &'static str,
    /// Its name.
    pub handler: &'static str,
    /// What happened.
    pub reason: String,
}

impl Kernel {
    /// Decides: awaits the handlers in the order of phase, priority and plugin id, each with its deadline.
    pub async fn decide<E: Decision>(&self, mut event: E, caller: &Caller) -> Decided<E> {
        let mut verdict: Option<E::Answer> = None;
        let mut failed = Vec::new();
        let live = self.0.live.load();
        let listeners = self.listeners::<E>(&live);
        let mut live = Some(live);
        for listener in listeners {
            let mut answer: Option<E::Answer> = None;
            let limit = listener.decl.deadline.unwrap_or(self.limits().decision_deadline);
            let input = Input::Event(&event);
            let now = live.get_or_insert_with(|| self.0.live.load());
            let channel = now.channel(Event::session(&event).or(caller.session.as_ref()));
            let called = match (now.plugin(channel, listener.plugin), listener.decl.body) {
                (Some(plugin), HandlerBody::Sync(body)) => {
                    let call = Call { kernel: self, plugin, caller, limit, input };
                    self.admit(listener).and_then(|pass| self.tell_breaker(listener, pass, guarded(|| body(&call, &mut answer))))
                }
                (Some(plugin), HandlerBody::Async(body)) => match self.admit(listener) {
                    Ok(pass) => {
                        // Only its own plugin is held while it waits: the others may stop meanwhile, and are then passed over.
                        let plugin = Arc::clone(plugin);
                        let call = Call { kernel: self, plugin: &plugin, caller, limit, input };
                        let result = limited(body(&call, &mut answer), limit).releasing(&mut live).await;
                        self.tell_breaker(listener, pass, result)
                    }
                    Err(failure) => Err(failure),
                },
                // A guard that nobody has disabled and that is not there must not leave the door open.
                (None, _) if now.is_wanted(channel, listener.plugin) => Err(Failure::NotRunning),
                (None, _) => continue,
            };
            if let Err(failure) = called {
                let problem =
                    Failed { plugin: listener.decl.plugin.id, handler: listener.decl.name, reason: failure.to_string() };
                tracing::warn!(plugin = problem.plugin, handler = problem.handler, "a decision's handler failed: {failure}");
                answer = E::Answer::on_failure(&format!(
                    "the guard `{}` of the plugin `{}` failed: {failure}",
                    problem.handler, problem.plugin
                ));
                failed.push(problem);
            }
            if let Some(answer) = answer {
                event.revise(&answer);
                verdict = Some(match verdict {
                    Some(before) => before.merge(answer),
                    None => answer,
                });
            }
        }
        Decided { event, verdict: verdict.unwrap_or_else(E::Answer::neutral), failed }
    }

    /// Tells whether anybody would have a say in a decision, so that nothing is prepared for nobody.
    #[inline]
    pub fn is_decided_by_anyone<E: Decision>(&self) -> bool {
        self.registry().event_of::<E>().is_some_and(|event| !event.listeners.is_empty())
    }

    #[inline]
    fn listeners<E: Decision>(&self, live: &Live) -> &[Listener] {
        match self.registry().event_of::<E>() {
            Some(event) if !live.halted && !live.silences(TypeId::of::<E>()) => &event.listeners,
            _ => &[],
        }
    }

    /// Asks a handler's breaker whether it may be called.
    #[inline]
    pub(super) fn admit(&self, listener: &Listener) -> Result<Pass, Failure> {
        self.0.breakers[listener.number].admits(self.limits()).ok_or(Failure::Quarantine)
    }

    /// Tells a handler's breaker how the call went.
    #[inline]
    pub(super) fn tell_breaker(&self, listener: &Listener, pass: Pass, result: Result<(), Failure>) -> Result<(), Failure> {
        let breaker = &self.0.breakers[listener.number];
        match &result {
            Ok(()) => breaker.succeeded(pass),
            Err(_) if breaker.failed(self.limits(), pass) => tracing::error!(
                plugin = listener.decl.plugin.id,
                handler = listener.decl.name,
                "failed {} times within {:?} and is not called for {:?}",
                self.limits().breaker_failures,
                self.limits().breaker_window,
                self.limits().breaker_cooldown,
            ),
            Err(_) => {}
        }
        result
    }
}
