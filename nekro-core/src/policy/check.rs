//! Comparing what is linked with what the policy allows.

use std::{collections::BTreeSet, fmt};

use super::{Entry, List, Of, Policy, matches, place, rule::is_about, scope};
use crate::{
    argument::suggest,
    capability::{self, OFFERS},
    manifest::{Capability, Manifest, Plugin},
};

/// Something that does not fit: what, where, by which line of the policy, and what to do. Read by whoever builds the program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The line of the policy.
    pub line: u32,
    /// What does not fit.
    pub problem: String,
    /// The way out.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", place(self.line), self.problem)
    }
}

impl Policy {
    /// Compares what is linked with what the policy allows, and returns everything that does not fit: a plugin that asks for more, and a
    /// name in the policy that nothing has.
    pub fn check(&self, manifest: &Manifest) -> Vec<Finding> {
        let mut findings = Vec::new();
        for plugin in &manifest.plugins {
            self.check_plugin(plugin, &mut findings);
            self.check_through(plugin, &mut findings);
        }
        self.check_names(manifest, &mut findings);
        findings.sort_by_key(|finding| finding.line);
        findings
    }

    fn check_plugin(&self, plugin: &Plugin, findings: &mut Vec<Finding>) {
        let Of { capabilities, deny, scopes, .. } = self.of(&plugin.id);
        let id = &plugin.id;
        // Tells under which table a list stands.
        let table = |list: &List| match self.plugins.get(id) {
            Some(own) if own.capabilities.as_ref() == Some(list) || own.scopes.values().any(|scope| scope == list) => {
                format!("[plugins.{id}]")
            }
            _ => "[default]".to_owned(),
        };
        for taken in &plugin.capabilities {
            let name = &taken.name;
            let by = users(taken);
            if let Some(denied) = deny.iter().find(|denied| denied.text == *name) {
                findings.push(Finding {
                    line: denied.line,
                    problem: format!("the plugin `{id}` takes `{name}`, which is denied: {by}"),
                    hint: format!("leave the plugin out of the bundle, or take \"{name}\" out of `deny`"),
                });
            } else if let Some(allowed) = capabilities.filter(|allowed| !allowed.texts().any(|one| one == name)) {
                findings.push(Finding {
                    line: allowed.line,
                    problem: format!("the plugin `{id}` takes `{name}`, which `{}` does not allow: {by}", table(allowed)),
                    hint: format!(
                        "leave the plugin out of the bundle, or add \"{name}\" to `capabilities` under `[plugins.{id}]`"
                    ),
                });
            }
            let Some(allowed) = scopes.get(name.as_str()) else { continue };
            let covers = |entry: &str| match scope::kind(name) {
                Some(kind) => allowed.texts().any(|one| kind.covers(one, entry)),
                None => false,
            };
            for beyond in taken.scope.iter().filter(|entry| !covers(entry)) {
                findings.push(Finding {
                    line: allowed.line,
                    problem: format!(
                        "the plugin `{id}` ({}) reaches `{beyond}` with `{name}`, which `{}` does not allow: {by}",
                        plugin.location,
                        table(allowed)
                    ),
                    hint: format!(
                        "leave the plugin out of the bundle, take \"{beyond}\" out of its `#[plugin]`, or add it to `{name}` under `[plugins.{id}]`"
                    ),
                });
            }
        }
    }

    /// Reports what is denied to a plugin and reached by it through others.
    fn check_through(&self, plugin: &Plugin, findings: &mut Vec<Finding>) {
        let Of { deny, .. } = self.of(&plugin.id);
        for through in &plugin.through {
            if let Some(denied) = deny.iter().find(|denied| denied.text == through.capability) {
                let (id, name, by) = (&plugin.id, &through.capability, &through.plugin);
                findings.push(Finding {
                    line: denied.line,
                    problem: format!(
                        "the plugin `{id}` reaches `{name}`, which is denied, through the plugin `{by}`, whose tools it calls"
                    ),
                    hint: format!("leave the plugin out of the bundle, or take \"{name}\" out of `deny`"),
                });
            }
        }
    }

    /// Reports names that nothing has: they would pass for protection.
    fn check_names(&self, manifest: &Manifest, findings: &mut Vec<Finding>) {
        let plugins = || manifest.plugins.iter();
        let mut unknown = |line, problem: String, hint: &str| findings.push(Finding { line, problem, hint: hint.to_owned() });
        for (id, allowance) in self.plugins.iter().filter(|(id, _)| manifest.plugin(id).is_none()) {
            let meant = meant(id, plugins().map(|plugin| plugin.id.as_str()));
            unknown(
                allowance.line,
                format!("no plugin `{id}` is linked{meant}"),
                "remove its table, or add the plugin to the bundle",
            );
        }
        for (id, allowance) in &self.plugins {
            let Some(plugin) = manifest.plugin(id) else { continue };
            let takes = |name: &str| plugin.capabilities.iter().any(|taken| taken.name == name);
            for name in allowance.capability_limits.keys().filter(|name| !takes(name)) {
                unknown(
                    allowance.line,
                    format!("the use of `{name}` by the plugin `{id}` is limited, and it does not take that"),
                    "remove the limit: it limits nothing",
                );
            }
        }
        let taken = plugins().flat_map(|plugin| &plugin.capabilities).map(|taken| taken.name.as_str());
        let capabilities: BTreeSet<_> = taken.chain(capability::NAMES.iter().copied()).collect();
        let allowances = || std::iter::once(&self.default).chain(self.plugins.values());
        let lists = allowances().flat_map(|one| [&one.capabilities, &one.deny]).flatten().flat_map(|list| &list.entries);
        for Entry { text, line } in lists.filter(|entry| !capabilities.contains(entry.text.as_str())) {
            let meant = meant(text, capabilities.iter().copied());
            unknown(*line, format!("there is no capability `{text}`{meant}"), "`nekro plugins show` tells which a plugin takes");
        }
        let tools: Vec<_> = plugins().flat_map(|plugin| &plugin.tools).map(|tool| tool.name.as_str()).collect();
        let commands: Vec<_> = plugins()
            .flat_map(|plugin| &plugin.commands)
            .flat_map(|command| std::iter::once(&command.name).chain(&command.aliases))
            // A rule about a group is about what is in it.
            .flat_map(|name| [Some(name.as_str()), name.split_once(' ').map(|(group, _)| group)])
            .flatten()
            .collect();
        let routes: Vec<_> =
            plugins().flat_map(|plugin| &plugin.routes).map(|route| (route.method, route.path.as_str())).collect();
        // What a plugin offers while it runs is not known yet: a rule may be about any of it.
        let may_offer = |pattern: &str| {
            let offering = plugins().filter(|plugin| plugin.capabilities.iter().any(|taken| taken.name == OFFERS.name));
            pattern
                .split_once('.')
                .is_some_and(|(of, rest)| !rest.is_empty() && offering.into_iter().any(|plugin| plugin.id == of))
        };
        for rule in &self.rules {
            let is_there = |one: &Entry| routes.iter().any(|(method, path)| is_about(&one.text, *method, path));
            for Entry { text, line } in rule.routes.iter().filter(|one| !is_there(one)) {
                let path = text.split_once(' ').map_or(text.as_str(), |(_, path)| path);
                let meant = meant(path, routes.iter().map(|(_, path)| *path));
                unknown(
                    *line,
                    format!("no route `{text}` is linked{meant}"),
                    "a rule about nothing protects nothing: correct or remove it",
                );
            }
            for (what, patterns, names) in [("tool", &rule.tools, &tools), ("command", &rule.commands, &commands)] {
                let is_about_nothing = |one: &&Entry| {
                    let is_offered = what == "tool" && may_offer(&one.text);
                    !is_offered && !names.iter().any(|name| matches(&one.text, name))
                };
                for Entry { text, line } in patterns.iter().filter(is_about_nothing) {
                    let meant = meant(text, names.iter().copied());
                    unknown(
                        *line,
                        format!("no {what} `{text}` is linked{meant}"),
                        "a rule about nothing protects nothing: correct or remove it",
                    );
                }
            }
        }
    }
}

/// Names the functions that take a capability, each with its place.
fn users(taken: &Capability) -> String {
    let users = taken.used_by.iter().map(|user| match user.name.as_str() {
        "" => format!("`#[{}]` at {}", user.what, user.location),
        name => format!("the {} `{name}` at {}", user.what, user.location),
    });
    users.collect::<Vec<_>>().join(", ")
}

fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    suggest(name, known).map_or_else(String::new, |meant| format!(": did you mean `{meant}`?"))
}
