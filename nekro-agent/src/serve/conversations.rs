//! Which session a conversation belongs to that a client sends as a whole each time: found by what was said so far.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nekro_core::SessionId;
use sha2::{Digest, Sha256};

/// How many are remembered. One that was forgotten begins a session of its own, with what was said before.
const MOST: usize = 1_000;

/// The conversations that were left off, by what was said in them.
#[derive(Default)]
pub(super) struct Conversations(Mutex<VecDeque<(Said, SessionId)>>);

/// What was said in a conversation, by whom, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said([u8; 32]);

impl Said {
    /// Nothing yet, with somebody.
    pub(super) fn nothing(who: &str, rules: &str) -> Self {
        Self([0; 32]).then("who", who).then("rules", rules)
    }

    /// What was said, and then this.
    #[must_use]
    pub(super) fn then(self, role: &str, text: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        // The lengths keep the parts apart.
        for part in [role, text.trim()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Returns a name for a session that begins with this.
    pub(super) fn name(&self) -> String {
        self.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Conversations {
    /// Takes a conversation out that was left off like this: whoever goes on with it does so alone.
    pub(super) fn take(&self, said: Said) -> Option<SessionId> {
        let mut all = self.lock();
        let at = all.iter().position(|(known, _)| *known == said)?;
        all.remove(at).map(|(_, session)| session)
    }

    /// Remembers where a conversation was left off.
    pub(super) fn put(&self, said: Said, session: SessionId) {
        let mut all = self.lock();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((said, session));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Said, SessionId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_found_by_what_was_said_and_goes_on_once() {
        let conversations = Conversations::default();
        let said = Said::nothing("ada", "").then("user", "hello").then("assistant", "hi ");
        conversations.put(said, "http:ada:1".into());
        let same = Said::nothing("ada", "").then("user", " hello").then("assistant", "hi");
        for other in [
            Said::nothing("bob", "").then("user", "hello").then("assistant", "hi"),
            Said::nothing("ada", "be brief").then("user", "hello").then("assistant", "hi"),
            Said::nothing("ada", "").then("user", "helloassistant").then("", "hi"),
        ] {
            assert_eq!(conversations.take(other), None);
        }
        assert_eq!(conversations.take(same), Some("http:ada:1".into()));
        assert_eq!(conversations.take(same), None, "a second one that goes on from there is another conversation");
    }
}
