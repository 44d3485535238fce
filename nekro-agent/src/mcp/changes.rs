//! Noticing that a client's lists may have changed.

use nekro_core::{
    event::facts::{ConfigChanged, OffersChanged, PluginFailed, PluginStarted, PluginStopped},
    kernel::{Observed, ObserverPort},
};
use tokio::sync::watch;

/// Counts what may have changed the lists of tools and prompts. Whoever is slow to look sees several changes as one.
#[derive(Debug)]
pub(crate) struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    /// Says that the lists may be different now.
    pub(crate) fn note(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Sees every change from now on.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

impl ObserverPort for Changes {
    fn wants_calls(&self) -> bool {
        false
    }

    fn observe(&self, fact: Observed<'_>) {
        // A configuration may decide what a tool's `when` says.
        let matters = fact.get::<PluginStarted>().is_some()
            || fact.get::<PluginStopped>().is_some()
            || fact.get::<PluginFailed>().is_some()
            || fact.get::<ConfigChanged>().is_some()
            || fact.get::<OffersChanged>().is_some();
        if matters {
            self.note();
        }
    }
}
