//! Conversations in memory: for tests, and for an agent that is to leave nothing behind.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use nekro_core::{BoxFuture, ClockPort, Error, PluginId, Result, SessionId, TurnId, event::facts::TurnOutcome};

use super::{CallRecord, HistoryPort, Listing, Message, NewMessage, Session, SessionSettings, Turn, UsageRecord, UsageTotal};

/// Keeps conversations until the program ends.
pub(crate) struct MemoryHistory {
    clock: Arc<dyn ClockPort>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sessions: BTreeMap<SessionId, Conversation>,
    turns: Vec<(Turn, Option<TurnOutcome>)>,
    calls: Vec<CallRecord>,
    usage: Vec<UsageRecord>,
    enabled: BTreeMap<String, bool>,
    // Grows with each write: two writes at one moment are still one after the other.
    writes: u64,
}

struct Conversation {
    session: Session,
    messages: Vec<Message>,
    written: u64,
}

impl MemoryHistory {
    /// Makes an empty one.
    pub(crate) fn new(clock: Arc<dyn ClockPort>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here is left half done by a panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, kept: &mut Kept, id: &SessionId) -> bool {
        let is_new = !kept.sessions.contains_key(id);
        if is_new {
            let now = self.clock.now();
            let session = Session { id: id.clone(), began: now, used: now, messages: 0, settings: SessionSettings::default() };
            kept.writes += 1;
            kept.sessions.insert(id.clone(), Conversation { session, messages: Vec::new(), written: kept.writes });
        }
        is_new
    }

    fn write(&self, kept: &mut Kept, id: &SessionId, messages: Vec<NewMessage>) -> Vec<Message> {
        self.begin(kept, id);
        kept.writes += 1;
        let (writes, now) = (kept.writes, self.clock.now());
        let Some(conversation) = kept.sessions.get_mut(id) else { return Vec::new() };
        let first = conversation.session.messages + 1;
        let written: Vec<_> = (first..)
            .zip(messages)
            .map(|(number, NewMessage { turn, hidden, body })| Message {
                id: format!("{id}-message-{number}").into(),
                number,
                turn,
                at: now,
                hidden,
                body,
            })
            .collect();
        conversation.session.messages += written.len() as u64;
        conversation.session.used = now;
        conversation.written = writes;
        conversation.messages.extend(written.iter().cloned());
        written
    }
}

/// What is in memory is there at once.
fn at_once<'a, T: Send + 'a>(value: Result<T>) -> BoxFuture<'a, Result<T>> {
    Box::pin(std::future::ready(value))
}

fn no_session(id: &SessionId) -> Error {
    Error::new(format!("there is no session `{id}`")).with_code("unknown_session")
}

impl HistoryPort for MemoryHistory {
    fn session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<Session>>> {
        at_once(Ok(self.lock().sessions.get(id).map(|one| one.session.clone())))
    }

    fn begin_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>> {
        at_once(Ok(self.begin(&mut self.lock(), id)))
    }

    fn set_session<'a>(&'a self, id: &'a SessionId, settings: SessionSettings) -> BoxFuture<'a, Result<()>> {
        let mut kept = self.lock();
        let found = kept.sessions.get_mut(id).map(|one| one.session.settings = settings);
        at_once(found.ok_or_else(|| no_session(id)))
    }

    fn sessions<'a>(&'a self, after: Option<&'a SessionId>, limit: usize) -> BoxFuture<'a, Result<Listing<Session>>> {
        let kept = self.lock();
        let mut all: Vec<_> = kept.sessions.values().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.written));
        let start = after.map_or(0, |after| {
            let at = all.iter().position(|one| one.session.id == *after);
            at.map_or(all.len(), |at| at + 1)
        });
        let items: Vec<_> = all[start..].iter().take(limit).map(|one| one.session.clone()).collect();
        let more = start + items.len() < all.len();
        at_once(Ok(Listing { items, more }))
    }

    fn delete_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<bool>> {
        let mut kept = self.lock();
        let there = kept.sessions.remove(id).is_some();
        kept.turns.retain(|(turn, _)| turn.session != *id);
        kept.calls.retain(|call| call.session.as_ref() != Some(id));
        for usage in kept.usage.iter_mut().filter(|usage| usage.plugin.is_some() && usage.session.as_ref() == Some(id)) {
            (usage.session, usage.turn) = (None, None);
        }
        kept.usage.retain(|usage| usage.session.as_ref() != Some(id));
        at_once(Ok(there))
    }

    fn clear_session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<u64>> {
        let mut kept = self.lock();
        let messages = kept.sessions.get_mut(id).into_iter().flat_map(|one| &mut one.messages);
        let shown = messages.filter(|message| !message.hidden);
        at_once(Ok(shown.map(|message| message.hidden = true).count() as u64))
    }

    fn append<'a>(&'a self, session: &'a SessionId, messages: Vec<NewMessage>) -> BoxFuture<'a, Result<Vec<Message>>> {
        at_once(Ok(self.write(&mut self.lock(), session, messages)))
    }

    fn messages<'a>(
        &'a self,
        session: &'a SessionId,
        before: Option<u64>,
        limit: usize,
        hidden: bool,
    ) -> BoxFuture<'a, Result<Vec<Message>>> {
        let kept = self.lock();
        let messages = kept.sessions.get(session).into_iter().flat_map(|one| one.messages.iter().rev());
        let earlier = messages.filter(|one| before.is_none_or(|before| one.number < before) && (hidden || !one.hidden));
        at_once(Ok(earlier.take(limit).cloned().collect()))
    }

    fn revise<'a>(
        &'a self,
        session: &'a SessionId,
        number: u64,
        text: Option<String>,
        hidden: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let mut kept = self.lock();
        let messages = kept.sessions.get_mut(session).into_iter().flat_map(|one| &mut one.messages);
        let found = messages.into_iter().find(|message| message.number == number);
        at_once(match found {
            Some(message) => {
                message.hidden = hidden;
                if let Some(text) = text {
                    message.body.rewrite(text);
                }
                Ok(())
            }
            None => Err(Error::new(format!("the session `{session}` has no message {number}")).with_code("unknown_message")),
        })
    }

    fn begin_turn<'a>(&'a self, turn: Turn) -> BoxFuture<'a, Result<()>> {
        self.lock().turns.push((turn, None));
        at_once(Ok(()))
    }

    fn end_turn<'a>(&'a self, turn: &'a TurnId, outcome: TurnOutcome, _micros: u64) -> BoxFuture<'a, Result<bool>> {
        let mut kept = self.lock();
        let open = kept.turns.iter_mut().find(|(one, ended)| one.id == *turn && ended.is_none());
        at_once(Ok(open.map(|(_, ended)| *ended = Some(outcome)).is_some()))
    }

    fn open_turns(&self) -> BoxFuture<'_, Result<Vec<Turn>>> {
        let kept = self.lock();
        at_once(Ok(kept.turns.iter().filter(|(_, ended)| ended.is_none()).map(|(turn, _)| turn.clone()).collect()))
    }

    fn record_call(&self, call: CallRecord) -> BoxFuture<'_, Result<()>> {
        self.lock().calls.push(call);
        at_once(Ok(()))
    }

    fn calls<'a>(&'a self, session: &'a SessionId, limit: usize) -> BoxFuture<'a, Result<Vec<CallRecord>>> {
        let kept = self.lock();
        let of_session = kept.calls.iter().filter(|call| call.session.as_ref() == Some(session));
        at_once(Ok(of_session.take(limit).cloned().collect()))
    }

    fn record_usage(&self, usage: UsageRecord) -> BoxFuture<'_, Result<()>> {
        self.lock().usage.push(usage);
        at_once(Ok(()))
    }

    fn usage<'a>(&'a self, session: &'a SessionId) -> BoxFuture<'a, Result<UsageTotal>> {
        at_once(Ok(total(self.lock().usage.iter().filter(|record| record.session.as_ref() == Some(session)))))
    }

    fn usage_of_plugin<'a>(
        &'a self,
        plugin: &'a PluginId,
        since: Timestamp,
        turn: Option<&'a TurnId>,
    ) -> BoxFuture<'a, Result<UsageTotal>> {
        let kept = self.lock();
        let of_plugin = kept.usage.iter().filter(|record| record.plugin.as_ref() == Some(plugin) && record.at >= since);
        at_once(Ok(total(of_plugin.filter(|record| turn.is_none() || record.turn.as_ref() == turn))))
    }

    fn set_enabled<'a>(&'a self, plugin: &'a str, enabled: Option<bool>) -> BoxFuture<'a, Result<()>> {
        let mut kept = self.lock();
        match enabled {
            Some(enabled) => drop(kept.enabled.insert(plugin.to_owned(), enabled)),
            None => drop(kept.enabled.remove(plugin)),
        }
        at_once(Ok(()))
    }

    fn enabled(&self) -> BoxFuture<'_, Result<Vec<(String, bool)>>> {
        at_once(Ok(self.lock().enabled.clone().into_iter().collect()))
    }
}

fn total<'a>(records: impl Iterator<Item = &'a UsageRecord>) -> UsageTotal {
    records.fold(UsageTotal::default(), |mut total, record| {
        total.answers += 1;
        total.usage.input_tokens += record.usage.input_tokens;
        total.usage.output_tokens += record.usage.output_tokens;
        total.usage.cached_tokens += record.usage.cached_tokens;
        total.cost_micros += record.cost_micros.unwrap_or(0);
        total
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::rules::keeps_to_the_rules;

    #[test]
    fn history_in_memory_keeps_to_the_rules() {
        keeps_to_the_rules(|clock| Arc::new(MemoryHistory::new(clock)));
    }
}
