//! What is different in one channel: other configurations, and plugins that are off there.
//!
//! Most agents have none of this, and then nothing is looked up.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use serde_json::Value;

use super::{Live, Running, lifecycle::Reachable};
use crate::ids::SessionId;

/// The configuration of a plugin: everywhere, and another one in some channels.
///
/// A channel is named by the id of a session up to its first `:`, or by the whole id; where both are given, the whole id counts. Each
/// configuration is whole: what is the same everywhere stands in it too.
#[derive(Clone, Default, PartialEq)]
pub struct Configuration {
    pub(super) everywhere: Value,
    pub(super) channels: BTreeMap<String, Value>,
}

impl Configuration {
    /// A configuration for every channel.
    pub fn new(everywhere: Value) -> Self {
        Self { everywhere, channels: BTreeMap::new() }
    }

    /// Sets the configuration in one channel.
    #[must_use]
    pub fn in_channel(mut self, channel: impl Into<String>, config: Value) -> Self {
        self.channels.insert(channel.into(), config);
        self
    }
}

impl From<Value> for Configuration {
    fn from(everywhere: Value) -> Self {
        Self::new(everywhere)
    }
}

// It may hold secrets.
impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("channels", &self.channels.keys()).finish_non_exhaustive()
    }
}

/// What is different in one channel.
#[derive(Clone, Default)]
pub(super) struct Channel {
    // The plugins that are off, by index.
    off: BTreeSet<usize>,
    // By plugin index.
    configured: BTreeMap<usize, Arc<Running>>,
}

impl Live {
    /// Returns what is different in the channel of a session. The whole id counts before its beginning.
    #[inline]
    pub(super) fn channel(&self, session: Option<&SessionId>) -> Option<&Channel> {
        if self.channels.is_empty() { None } else { find(&self.channels, session?) }
    }

    /// Returns a plugin as it is in a channel; `None` if it does not run, or is off there.
    #[inline]
    pub(super) fn plugin<'l>(&'l self, channel: Option<&'l Channel>, plugin: usize) -> Option<&'l Arc<Running>> {
        let everywhere = self.plugins[plugin].as_ref()?;
        match channel {
            None => Some(everywhere),
            Some(channel) if channel.off.contains(&plugin) => None,
            Some(channel) => Some(channel.configured.get(&plugin).unwrap_or(everywhere)),
        }
    }

    /// Tells whether nobody has disabled a plugin, as a whole or in a channel.
    pub(super) fn is_wanted(&self, channel: Option<&Channel>, plugin: usize) -> bool {
        self.wanted[plugin] && channel.is_none_or(|channel| !channel.off.contains(&plugin))
    }

    /// Makes a plugin reachable, or changes its configuration.
    pub(super) fn insert(&mut self, plugin: usize, reachable: &Reachable) {
        self.remove(plugin);
        self.plugins[plugin] = Some(Arc::clone(&reachable.everywhere));
        for (name, running) in &reachable.channels {
            self.channels.entry(name.as_str().into()).or_default().configured.insert(plugin, Arc::clone(running));
        }
    }

    /// Takes a plugin away, from every channel.
    pub(super) fn remove(&mut self, plugin: usize) {
        self.plugins[plugin] = None;
        for channel in self.channels.values_mut() {
            channel.configured.remove(&plugin);
        }
        self.forget_what_is_the_same();
    }

    /// Says which plugins are off in which channels, in place of what was said before.
    pub(super) fn set_off(&mut self, off: &BTreeMap<String, BTreeSet<usize>>) {
        self.channels.values_mut().for_each(|channel| channel.off.clear());
        for (name, plugins) in off {
            self.channels.entry(name.as_str().into()).or_default().off.clone_from(plugins);
        }
        self.forget_what_is_the_same();
    }

    fn forget_what_is_the_same(&mut self) {
        self.channels.retain(|_, channel| !channel.off.is_empty() || !channel.configured.is_empty());
    }
}

fn find<'c>(channels: &'c HashMap<Box<str>, Channel>, session: &SessionId) -> Option<&'c Channel> {
    channels.get(session.as_str()).or_else(|| channels.get(session.channel()))
}
