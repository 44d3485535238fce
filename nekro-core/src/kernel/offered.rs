//! The tools that plugins offer while they run: replaced as a whole, so that every call sees one consistent list.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;

use super::{Kernel, restriction::Restriction};
use crate::{
    error::{Error, Result},
    event::facts::OffersChanged,
    offered::{NotOffered, OfferedTool},
    plugin::PluginDecl,
};

/// How long a part of a name may be.
const MOST_OF_A_NAME: usize = 64;

/// The tools that are offered.
#[derive(Default)]
pub(super) struct Offered {
    // By name. What callers see.
    seen: ArcSwap<BTreeMap<String, Arc<OfferedEntry>>>,
    // Whoever changes what is offered holds it.
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    // By plugin index and group.
    tools: BTreeMap<(usize, String), Vec<Arc<OfferedEntry>>>,
    not_offered: BTreeMap<(usize, String), Vec<NotOffered>>,
    // What the policy says of a tool, with what was counted: kept also when a tool goes and comes again, or its rate would begin anew.
    restrictions: HashMap<String, Arc<Restriction>>,
}

/// A tool that is offered.
pub(super) struct OfferedEntry {
    pub(super) name: String,
    pub(super) plugin: &'static PluginDecl,
    // The plugin's index.
    pub(super) at: usize,
    pub(super) tool: OfferedTool,
    pub(super) restriction: Option<Arc<Restriction>>,
}

impl Offered {
    /// Finds one by its name.
    pub(super) fn find(&self, name: &str) -> Option<Arc<OfferedEntry>> {
        self.seen.load().get(name).cloned()
    }

    /// Returns all of them, sorted by name.
    pub(super) fn all(&self) -> Vec<Arc<OfferedEntry>> {
        self.seen.load().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, groups: &Groups) {
        let all = groups.tools.values().flatten().map(|entry| (entry.name.clone(), Arc::clone(entry)));
        self.seen.store(Arc::new(all.collect()));
    }
}

impl Kernel {
    /// Offers tools of a plugin under a group, in place of those before.
    pub(crate) fn offer(&self, plugin: &'static PluginDecl, group: &str, tools: Vec<OfferedTool>) -> Result<()> {
        let Some(at) = self.registry().plugin_index(plugin.id) else { return Ok(()) };
        let most = self.limits().offered_tools;
        let key = (at, group.to_owned());
        let mut groups = self.0.offered.lock();
        let others = groups.tools.iter().filter(|(other, _)| other.0 == at && **other != key);
        if others.map(|(_, tools)| tools.len()).sum::<usize>() + tools.len() > most {
            return Err(Error::new(format!("the plugin `{}` would offer more than {most} tools", plugin.id))
                .with_code("too_many")
                .with_hint("the limit is `limits.offered_tools`"));
        }
        let mut entries: Vec<Arc<OfferedEntry>> = Vec::with_capacity(tools.len());
        for tool in tools {
            if !tool.name.split('.').all(is_name) {
                return Err(Error::new(format!("`{}` is no name of a tool", tool.name.escape_debug())).with_code("invalid_name"));
            }
            let name = format!("{}.{}", plugin.id, tool.name);
            let elsewhere = groups.tools.iter().filter(|(other, _)| **other != key).flat_map(|(_, tools)| tools);
            if self.registry().tool(&name).is_some() || elsewhere.chain(&entries).any(|other| other.name == name) {
                return Err(Error::new(format!("there is a tool `{name}` already")).with_code("name_taken"));
            }
            let restriction = match groups.restrictions.get(&name) {
                Some(known) => Some(Arc::clone(known)),
                None => self.offered_restriction(plugin, &name).map(Arc::new),
            };
            entries.push(Arc::new(OfferedEntry { name, plugin, at, tool, restriction }));
        }
        for entry in &entries {
            if let Some(restriction) = &entry.restriction {
                groups.restrictions.insert(entry.name.clone(), Arc::clone(restriction));
            }
        }
        if entries.is_empty() {
            groups.tools.remove(&key);
        } else {
            groups.tools.insert(key, entries);
        }
        let Groups { tools, restrictions, .. } = &mut *groups;
        if restrictions.len() > most.saturating_mul(4) {
            // Names that came and went: what was counted of them is not worth that much.
            restrictions.retain(|name, _| tools.values().flatten().any(|entry| entry.name == *name));
        }
        self.0.offered.publish(&groups);
        drop(groups);
        self.emit(OffersChanged { plugin: plugin.id.into() });
        Ok(())
    }

    /// Keeps why tools of a group are not offered.
    pub(crate) fn note_not_offered(&self, plugin: &'static PluginDecl, group: &str, which: Vec<NotOffered>) {
        let Some(at) = self.registry().plugin_index(plugin.id) else { return };
        self.0.offered.lock().not_offered.insert((at, group.to_owned()), which);
    }

    /// Takes back what a plugin offered: it has stopped.
    pub(super) fn take_back_offers(&self, at: usize) {
        let mut groups = self.0.offered.lock();
        let before = groups.tools.len();
        groups.tools.retain(|(plugin, _), _| *plugin != at);
        groups.not_offered.retain(|(plugin, _), _| *plugin != at);
        if groups.tools.len() != before {
            self.0.offered.publish(&groups);
        }
    }

    /// Returns which tools a plugin does not offer, and why.
    pub fn not_offered(&self, plugin: &str) -> Vec<NotOffered> {
        let Some(at) = self.registry().plugin_index(plugin) else { return Vec::new() };
        let groups = self.0.offered.lock();
        groups.not_offered.iter().filter(|((of, _), _)| *of == at).flat_map(|(_, which)| which.clone()).collect()
    }

    /// Returns the tools that a plugin offers, whoever may see them, sorted by name.
    pub fn offered(&self, plugin: &str) -> Vec<super::Tool<'_>> {
        let all = self.0.offered.all().into_iter().filter(|entry| entry.plugin.id == plugin);
        all.map(|entry| super::Tool(super::tool::Source::Offered(entry))).collect()
    }
}

fn is_name(part: &str) -> bool {
    let is_part_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !part.is_empty() && part.len() <= MOST_OF_A_NAME && part.bytes().all(is_part_of_name)
}
