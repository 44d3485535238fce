//! Noticing that what a client knows may have changed: its lists, and what it has subscribed to.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use nekro_core::{
    event::facts::{ConfigChanged, OffersChanged, PluginFailed, PluginStarted, PluginStopped, SharedFileChanged},
    kernel::{Observed, ObserverPort},
};

use super::follower::Follower;

/// Tells all who follow what happens, of what concerns them.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<Vec<Weak<Follower>>>);

impl Changes {
    /// Says that the lists may be different now.
    pub(crate) fn note(&self) {
        self.each(Follower::note_lists);
    }

    /// Tells somebody of every change from now on, until he is gone.
    pub(super) fn tell(&self, follower: &Arc<Follower>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(follower));
    }

    fn each(&self, f: impl Fn(&Follower)) {
        // A follower that is dropped here must not find the list locked.
        let all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(|one| f(one));
    }
}

impl ObserverPort for Changes {
    fn wants_calls(&self) -> bool {
        false
    }

    fn observe(&self, fact: Observed<'_>) {
        // A configuration may decide what a tool's `when` says.
        let concerns_lists = fact.get::<PluginStarted>().is_some()
            || fact.get::<PluginStopped>().is_some()
            || fact.get::<PluginFailed>().is_some()
            || fact.get::<ConfigChanged>().is_some()
            || fact.get::<OffersChanged>().is_some();
        let file = fact.get::<SharedFileChanged>();
        self.each(|follower| {
            if concerns_lists {
                follower.note_lists();
            }
            if let Some(file) = file {
                follower.note_file(file);
            }
            follower.note_fact(&fact);
        });
    }
}
