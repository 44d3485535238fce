//! Which handlers listen to which event, and in which order.

use std::{
    any::TypeId,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::OnceLock,
};

use super::{
    Problem,
    entry::{EventEntry, Listener},
    roster::duplicate,
};
use crate::{
    event::{EventDecl, Sort},
    handler::HandlerDecl,
};

pub(super) type EventTypes = HashMap<TypeId, usize, BuildHasherDefault<TypeIdHasher>>;

/// Puts each handler to its event, in the order in which they are called.
pub(super) fn index_events(
    decls: &[&'static EventDecl],
    handlers: &[(&'static HandlerDecl, usize)],
    problems: &mut Vec<Problem>,
) -> (Vec<EventEntry>, EventTypes) {
    let mut events: Vec<_> = decls
        .iter()
        .map(|decl| EventEntry {
            decl,
            name: decl.wire_name(),
            listeners: Vec::new(),
            groups: Vec::new(),
            schema: OnceLock::new(),
        })
        .collect();
    events.sort_by(|a, b| {
        (a.decl.plugin.is_some(), &a.name, a.decl.location).cmp(&(b.decl.plugin.is_some(), &b.name, b.decl.location))
    });
    for pair in events.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        problems.push(duplicate("events", &pair[0].name, pair[0].decl.location, pair[1].decl.location));
    }
    let types: EventTypes = events.iter().enumerate().map(|(at, entry)| ((entry.decl.type_id)(), at)).collect();
    for (number, (decl, plugin)) in handlers.iter().enumerate() {
        if let Some(at) = types.get(&(decl.event.type_id)()) {
            events[*at].listeners.push(Listener { decl, plugin: *plugin, number });
        } else if let Some(exporter) = decl.event.plugin {
            problems.push(Problem::Orphan { plugin: exporter.id, location: decl.event.location });
        }
    }
    for event in &mut events {
        let rank = |listener: &Listener| {
            let decl = listener.decl;
            (decl.phase, std::cmp::Reverse(decl.priority), decl.plugin.id, decl.name, decl.location)
        };
        match event.decl.sort {
            Sort::Decision => event.listeners.sort_by_key(rank),
            // A plugin's handlers of a fact are called one after the other, by its own worker.
            Sort::Fact => event.listeners.sort_by_key(|listener| (listener.plugin, rank(listener))),
        }
        for (at, listener) in event.listeners.iter().enumerate() {
            match event.groups.last_mut() {
                Some((plugin, range)) if *plugin == listener.plugin => range.end = at + 1,
                _ => event.groups.push((listener.plugin, at..at + 1)),
            }
        }
    }
    (events, types)
}

/// A `TypeId` is a hash already.
#[derive(Default)]
pub(crate) struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
