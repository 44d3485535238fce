//! What a plugin may ask for: capabilities, how far they reach, and resources.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Policy, Rate};

/// What a plugin may ask for. What is not said is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Allowance {
    /// The capabilities that it may take; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<List>,
    /// The capabilities that it may not take, whatever else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<List>,
    /// By capability, how far it may reach.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<String, List>,
    /// The resources that it may use.
    #[serde(default)]
    pub limits: Caps,
    /// By capability, how much of it the plugin may use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capability_limits: BTreeMap<String, CapabilityCaps>,
    /// The line where it begins.
    pub line: u32,
}

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct List {
    /// What is in it.
    pub entries: Vec<Entry>,
    /// The line where it begins.
    pub line: u32,
}

/// A word in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The word.
    pub text: String,
    /// Its line.
    pub line: u32,
}

/// The most that a plugin may use. The smallest counts of what the host, the plugin and the policy say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Caps {
    /// How long one of its tools or commands may take, whatever the function's own `deadline` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_deadline: Option<Cap<Duration>>,
    /// How many of its tools and commands may run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_at_once: Option<Cap<usize>>,
    /// How many facts may wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Cap<usize>>,
    /// How many facts it may handle at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Cap<usize>>,
}

/// The capabilities whose use can be limited: each of their uses is waited for.
pub(super) const LIMITED: [&str; 13] = [
    "files",
    "http",
    "messages",
    "model",
    "peers",
    "process",
    "schedules",
    "secrets",
    "sessions",
    "store",
    "tasks",
    "tool_servers",
    "vectors",
];

/// How much a plugin may use a capability, all its calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CapabilityCaps {
    /// How many uses may be under way at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<Cap<usize>>,
    /// How often it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Cap<Rate>>,
    /// How long one use may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Cap<Duration>>,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cap<T> {
    /// The most.
    pub most: T,
    /// Its line.
    pub line: u32,
}

/// What holds for one plugin: its own table over `default`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Of<'p> {
    /// The capabilities that it may take; `None` for any.
    pub capabilities: Option<&'p List>,
    /// The capabilities that it may not take.
    pub deny: Vec<&'p Entry>,
    /// By capability, how far it may reach.
    pub scopes: BTreeMap<&'p str, &'p List>,
    /// The resources that it may use.
    pub limits: Caps,
    /// By capability, how much of it the plugin may use.
    pub capability_limits: BTreeMap<&'p str, CapabilityCaps>,
}

impl Policy {
    /// Returns what holds for a plugin. A key of its own table counts in place of the same key under `default`; what `default` denies stays
    /// denied.
    pub fn of(&self, plugin: &str) -> Of<'_> {
        let own = self.plugins.get(plugin);
        let both = || std::iter::once(&self.default).chain(own);
        let limits = own.map_or(Caps::default(), |own| own.limits);
        let default = self.default.limits;
        let mut capability_limits: BTreeMap<&str, CapabilityCaps> = BTreeMap::new();
        for (capability, caps) in both().flat_map(|one| &one.capability_limits) {
            // What comes later is the plugin's own.
            let all = capability_limits.entry(capability).or_default();
            all.at_once = caps.at_once.or(all.at_once);
            all.rate = caps.rate.or(all.rate);
            all.deadline = caps.deadline.or(all.deadline);
        }
        Of {
            capability_limits,
            capabilities: both().filter_map(|one| one.capabilities.as_ref()).next_back(),
            deny: both().filter_map(|one| one.deny.as_ref()).flat_map(|list| &list.entries).collect(),
            scopes: both().flat_map(|one| &one.scopes).map(|(capability, list)| (capability.as_str(), list)).collect(),
            limits: Caps {
                call_deadline: limits.call_deadline.or(default.call_deadline),
                calls_at_once: limits.calls_at_once.or(default.calls_at_once),
                mailbox: limits.mailbox.or(default.mailbox),
                concurrency: limits.concurrency.or(default.concurrency),
            },
        }
    }
}

impl List {
    /// Returns the words.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.text.as_str())
    }
}
