//! Whether a plugin takes part in a conversation: it may be off in one, or asleep until the model wakes it.

use super::Kernel;
use crate::caller::{Caller, Origin};

/// Whether a plugin takes part in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    #[default]
    Awake,
    /// The model is told of it in one line, and offered nothing else. People can use it.
    Asleep,
    /// It brings no tool, no command and no prompt section. Its guards go on guarding: a conversation cannot switch them off.
    Absent,
}

/// Says whether plugins take part in a conversation. Implemented by a host that lets them sleep, or lets people switch them off in one
/// conversation; without it they always do. Asked for every tool that is listed or called, so it must not wait.
pub trait PresencePort: Send + Sync {
    /// Returns whether a plugin takes part, for one of its tools or, if none is given, as a whole.
    fn presence(&self, plugin: &str, tool: Option<&str>, caller: &Caller) -> Presence;
}

impl Kernel {
    /// Returns whether a plugin takes part in the caller's conversation.
    #[inline]
    pub fn presence(&self, plugin: &str, tool: Option<&str>, caller: &Caller) -> Presence {
        match &self.0.presence {
            Some(port) => port.presence(plugin, tool, caller),
            None => Presence::Awake,
        }
    }

    /// Tells whether the caller may use what a plugin brings.
    #[inline]
    pub(super) fn is_present(&self, plugin: &str, tool: Option<&str>, caller: &Caller) -> bool {
        match self.presence(plugin, tool, caller) {
            Presence::Awake => true,
            Presence::Asleep => caller.origin != Origin::Model,
            Presence::Absent => false,
        }
    }
}
