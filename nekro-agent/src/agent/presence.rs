//! Which plugins take part in which session: some are off there, some sleep until the model wakes them.
//!
//! The kernel asks this for every tool, command and prompt section. What a session has woken is in memory only: after a restart it
//! sleeps again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nekro_core::{
    Caller, SessionId,
    kernel::{Presence, PresencePort},
};

use super::settings::AgentSettings;

/// Which plugins take part in which session.
pub(crate) struct Presences {
    settings: Arc<AgentSettings>,
    // Only sessions in which something is otherwise than elsewhere.
    sessions: Mutex<HashMap<SessionId, Session>>,
}

#[derive(Default)]
struct Session {
    /// Plugins that are on or off.
    plugins: BTreeMap<String, bool>,
    /// Plugins that were woken, and for how many rounds.
    woken: BTreeMap<String, u32>,
    /// Tools that plugins offer for one turn.
    granted: BTreeSet<String>,
}

impl Session {
    fn is_usual(&self) -> bool {
        self.plugins.is_empty() && self.woken.is_empty() && self.granted.is_empty()
    }
}

impl Presences {
    /// Makes one in which no session has done anything yet.
    pub(crate) fn new(settings: Arc<AgentSettings>) -> Self {
        Self { settings, sessions: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, session: &SessionId, change: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.lock();
        let of = sessions.entry(session.clone()).or_default();
        let value = change(of);
        if of.is_usual() {
            sessions.remove(session);
        }
        value
    }

    /// Says which plugins are on or off in a session.
    pub(super) fn set_plugins(&self, session: &SessionId, plugins: &BTreeMap<String, bool>) {
        self.change(session, |of| of.plugins.clone_from(plugins));
    }

    /// Wakes a plugin for so many rounds, or lets one that is awake be so for that much longer. Returns for how many rounds it is, the
    /// one that is under way not counted.
    pub(super) fn wake(&self, session: &SessionId, plugin: &str, rounds: u32) -> u32 {
        self.change(session, |of| {
            // The round that is under way is still to be counted.
            let left = of.woken.entry(plugin.to_owned()).or_insert(1);
            *left = left.saturating_add(rounds);
            *left - 1
        })
    }

    /// Offers tools in a session that are not offered otherwise, until others are.
    pub(super) fn grant(&self, session: &SessionId, tools: BTreeSet<String>) {
        self.change(session, |of| of.granted = tools);
    }

    /// Counts a round that has ended. Returns whether a plugin has fallen asleep by it.
    pub(super) fn count_round(&self, session: &SessionId) -> bool {
        self.change(session, |of| {
            let before = of.woken.len();
            of.woken.retain(|_, left| {
                *left = left.saturating_sub(1);
                *left > 0
            });
            of.woken.len() < before
        })
    }

    /// Forgets what was done in a session.
    pub(super) fn forget(&self, session: &SessionId) {
        self.lock().remove(session);
    }

    /// Tells whether a plugin sleeps where nobody has woken it.
    pub(super) fn sleeps(&self, plugin: &str) -> bool {
        self.settings.plugins.get(plugin).is_some_and(|settings| settings.sleep)
    }

    /// Tells for how many sessions something is kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.lock().len()
    }
}

impl PresencePort for Presences {
    fn presence(&self, plugin: &str, tool: Option<&str>, caller: &Caller) -> Presence {
        let sleeps = self.sleeps(plugin);
        let Some(session) = &caller.session else { return if sleeps { Presence::Asleep } else { Presence::Awake } };
        let sessions = self.lock();
        let of = sessions.get(session);
        match of.and_then(|of| of.plugins.get(plugin)) {
            Some(false) => Presence::Absent,
            _ if !sleeps => Presence::Awake,
            _ if of.is_some_and(|of| of.woken.contains_key(plugin)) => Presence::Awake,
            _ if tool.is_some_and(|tool| of.is_some_and(|of| of.granted.contains(tool))) => Presence::Awake,
            _ => Presence::Asleep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::settings::PluginSettings;

    #[test]
    fn a_plugin_sleeps_is_woken_for_some_rounds_and_sleeps_again() {
        let mut settings = AgentSettings::default();
        settings.plugins.insert("notes".into(), PluginSettings { sleep: true, ..PluginSettings::default() });
        let presences = Presences::new(Arc::new(settings));
        let (here, there) = (Caller::host().in_session("here"), Caller::host().in_session("there"));
        let of = |plugin, caller: &Caller| presences.presence(plugin, None, caller);
        assert_eq!((of("notes", &here), of("dice", &here)), (Presence::Asleep, Presence::Awake));
        let session = SessionId::from("here");
        presences.grant(&session, ["notes.find".to_owned()].into());
        assert_eq!(presences.presence("notes", Some("notes.find"), &here), Presence::Awake);
        assert_eq!(presences.presence("notes", Some("notes.save"), &here), Presence::Asleep);
        presences.grant(&session, BTreeSet::new());
        assert_eq!(presences.wake(&session, "notes", 1), 1);
        assert_eq!(presences.wake(&session, "notes", 1), 2, "longer");
        assert_eq!((of("notes", &here), of("notes", &there)), (Presence::Awake, Presence::Asleep));
        assert!(!presences.count_round(&session), "the round that it was woken in");
        assert!(!presences.count_round(&session));
        assert!(presences.count_round(&session));
        assert_eq!(of("notes", &here), Presence::Asleep);
        assert_eq!(presences.kept(), 0, "what is as elsewhere is not kept");
        presences.set_plugins(&session, &[("notes".to_owned(), false)].into());
        assert_eq!(of("notes", &here), Presence::Absent);
        presences.forget(&session);
        assert_eq!(of("notes", &here), Presence::Asleep);
    }
}
