//! The variables that scripts leave to the next one of their session: in memory, for the sessions that were used last.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nekro_core::SessionId;
use nekro_sandbox::State;

/// What is kept, by session.
#[derive(Debug)]
pub(super) struct Kept {
    most: usize,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    // Counts up with each use.
    now: u64,
    states: HashMap<SessionId, (u64, State)>,
}

impl Kept {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), all: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what a session has; nothing at first.
    pub(super) fn get(&self, session: &SessionId) -> State {
        self.lock().states.get(session).map(|(_, state)| state.clone()).unwrap_or_default()
    }

    /// Keeps what a session has. The session that was used longest ago makes room for one too many.
    pub(super) fn put(&self, session: &SessionId, state: State) {
        let mut all = self.lock();
        all.now += 1;
        let now = all.now;
        all.states.insert(session.clone(), (now, state));
        if all.states.len() > self.most {
            let oldest = all.states.iter().min_by_key(|(_, (used, _))| *used).map(|(session, _)| session.clone());
            oldest.map(|session| all.states.remove(&session));
        }
    }

    pub(super) fn forget(&self, session: &SessionId) {
        self.lock().states.remove(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_that_was_used_longest_ago_makes_room() {
        let kept = Kept::new(2);
        for session in ["a", "b", "a", "c"] {
            kept.put(&session.into(), State::default());
        }
        let mut sessions: Vec<_> = kept.lock().states.keys().map(ToString::to_string).collect();
        sessions.sort();
        assert_eq!(sessions, ["a", "c"]);
        kept.forget(&"a".into());
        assert_eq!(kept.lock().states.len(), 1);
    }
}
