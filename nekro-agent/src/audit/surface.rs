//! The surface of a program: what a reviewer has to know of its plugins, and nothing that changes without a reason to look.

use std::collections::{BTreeMap, BTreeSet};

use nekro_core::{
    Effect,
    event::Sort,
    manifest::{self, Manifest},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::program::Program;

/// The surface of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Surface {
    pub(crate) nekro_core: String,
    #[serde(default)]
    pub(crate) plugins: BTreeMap<String, Plugin>,
}

/// The surface of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugin {
    pub(crate) package: String,
    pub(crate) version: String,
    /// As `Cargo.lock` has it, `path` or `unknown`.
    pub(crate) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<String>,
    pub(crate) unsafe_code: Answer,
    pub(crate) build_script: Answer,
    #[serde(default)]
    pub(crate) requires: BTreeSet<String>,
    /// The keys of its configuration.
    #[serde(default)]
    pub(crate) configuration: BTreeSet<String>,
    /// Sections of what the model reads first.
    #[serde(default)]
    pub(crate) prompts: BTreeSet<String>,
    /// Handlers of facts: the event and the function.
    #[serde(default)]
    pub(crate) listens: BTreeSet<String>,
    /// Handlers of decisions: the event and the function, and when it is asked.
    #[serde(default)]
    pub(crate) decides: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) capabilities: BTreeMap<String, Capability>,
    /// What it reaches through the plugins whose tools it may call.
    #[serde(default)]
    pub(crate) through: BTreeSet<String>,
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, Tool>,
    #[serde(default)]
    pub(crate) tasks: BTreeMap<String, Task>,
    /// What is done by itself, and when.
    #[serde(default)]
    pub(crate) schedules: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) commands: BTreeMap<String, Command>,
    /// Its routes: method and path, and who may ask.
    #[serde(default)]
    pub(crate) routes: BTreeMap<String, String>,
    /// Its webhooks: the path, and how the sender proves itself.
    #[serde(default)]
    pub(crate) webhooks: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) events: BTreeMap<String, Event>,
}

/// Something that is so, or not, or that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Yes,
    No,
    Unknown,
}

/// A capability, how far it reaches and who takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capability {
    #[serde(default)]
    pub(crate) scope: BTreeSet<String>,
    #[serde(default)]
    pub(crate) used_by: BTreeSet<String>,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    pub(crate) effect: String,
    pub(crate) kind: String,
    /// A hash of all that the model is told of it.
    pub(crate) schema: String,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// What becomes of it when its plugin is disabled.
    pub(crate) when_disabled: String,
    /// A hash of what it takes and gives.
    pub(crate) schema: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) aliases: BTreeSet<String>,
}

/// An event that the plugin exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) sort: String,
    pub(crate) schema: String,
}

/// A name that a manifest has twice, which no build makes.
pub(crate) type Twice = String;

impl Surface {
    /// Describes a program.
    ///
    /// # Errors
    ///
    /// If something is described twice: then nobody can tell which of the two holds.
    pub(crate) fn of(program: &Program) -> Result<Self, Twice> {
        let manifest = &program.manifest;
        let decisions = decisions(manifest);
        let plugins = unique("plugin", manifest.plugins.iter().map(|plugin| (&plugin.id, plugin)))?;
        let plugins = plugins.into_iter().map(|(id, entry)| Ok((id, plugin(entry, program, &decisions)?)));
        Ok(Self { nekro_core: manifest.core.clone(), plugins: plugins.collect::<Result<_, Twice>>()? })
    }
}

fn decisions(manifest: &Manifest) -> BTreeSet<&str> {
    let events = manifest.plugins.iter().flat_map(|plugin| &plugin.events).chain(&manifest.events);
    events.filter(|event| event.sort == Sort::Decision).map(|event| event.name.as_str()).collect()
}

fn plugin(plugin: &manifest::Plugin, program: &Program, decisions: &BTreeSet<&str>) -> Result<Plugin, Twice> {
    let provenance = program.provenance.as_ref();
    let (source, package) = provenance.and_then(|provenance| provenance.plugin(&plugin.id)).unzip();
    let capability = |one: &manifest::Capability| Capability {
        scope: one.scope.iter().cloned().collect(),
        used_by: one.used_by.iter().map(|by| format!("{} {}", by.what, by.name).trim_end().to_owned()).collect(),
    };
    let capabilities = plugin.capabilities.iter().map(|one| (&one.name, capability(one)));
    let tool = |one: &manifest::Tool| Tool {
        effect: effect(one.effect),
        kind: wire(&one.kind),
        schema: hash(json!({ "description": one.description, "arguments": one.arguments, "result": one.result })),
    };
    let task = |one: &manifest::Task| Task {
        when_disabled: wire(&one.when_disabled),
        schema: hash(json!({ "description": one.description, "arguments": one.arguments, "result": one.result })),
    };
    let command = |one: &manifest::Command| Command { role: wire(&one.role), aliases: one.aliases.iter().cloned().collect() };
    let auth = |one: &manifest::Route| one.role.as_ref().map_or_else(|| "public".to_owned(), wire);
    let routes: Vec<_> = plugin.routes.iter().map(|one| (format!("{} {}", one.method, one.path), auth(one))).collect();
    let event = |one: &manifest::Event| Event { sort: wire(&one.sort), schema: hash(one.schema.clone()) };
    let (mut listens, mut decides) = (BTreeSet::new(), Vec::new());
    for handler in &plugin.handlers {
        let name = format!("{} {}", handler.event, handler.name);
        if decisions.contains(handler.event.as_str()) {
            decides.push((name, format!("{}, priority {}", wire(&handler.phase), handler.priority)));
        } else {
            listens.insert(name);
        }
    }
    let keys = plugin.config.as_ref().and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    Ok(Plugin {
        package: plugin.package.clone(),
        version: plugin.version.clone(),
        source: package.map_or_else(|| "unknown".to_owned(), |package| package.source.clone()),
        checksum: package.and_then(|package| package.checksum.clone()),
        unsafe_code: Answer::of(source.and_then(|source| source.unsafe_code)),
        build_script: Answer::of(source.and_then(|source| source.build_script)),
        requires: plugin.requires.iter().cloned().collect(),
        configuration: keys.into_iter().flat_map(|keys| keys.keys().cloned()).collect(),
        prompts: plugin.prompts.iter().map(|prompt| prompt.name.clone()).collect(),
        listens,
        decides: unique("handler", decides.iter().map(|(name, when)| (name, when.clone())))?,
        capabilities: unique("capability", capabilities)?,
        through: plugin.through.iter().flat_map(through).collect(),
        tools: unique("tool", plugin.tools.iter().map(|one| (&one.name, tool(one))))?,
        tasks: unique("task", plugin.tasks.iter().map(|one| (&one.name, task(one))))?,
        schedules: unique("schedule", plugin.schedules.iter().map(|one| (&one.name, one.when.clone())))?,
        commands: unique("command", plugin.commands.iter().map(|one| (&one.name, command(one))))?,
        routes: unique("route", routes.iter().map(|(name, auth)| (name, auth.clone())))?,
        webhooks: unique("webhook", plugin.webhooks.iter().map(|one| (&one.path, wire(&one.signature))))?,
        events: unique("event", plugin.events.iter().map(|one| (&one.name, event(one))))?,
    })
}

/// Names what is reached through another plugin, each bound by itself.
fn through(through: &manifest::Through) -> Vec<String> {
    let manifest::Through { plugin, capability, scope, .. } = through;
    match scope.as_slice() {
        [] => vec![format!("{plugin}: {capability}")],
        scope => scope.iter().map(|entry| format!("{plugin}: {capability}: {entry}")).collect(),
    }
}

fn unique<'n, T>(what: &str, all: impl Iterator<Item = (&'n String, T)>) -> Result<BTreeMap<String, T>, Twice> {
    let mut map = BTreeMap::new();
    for (name, one) in all {
        if map.insert(name.clone(), one).is_some() {
            return Err(format!("the {what} `{name}`"));
        }
    }
    Ok(map)
}

impl Answer {
    fn of(known: Option<bool>) -> Self {
        known.map_or(Self::Unknown, |yes| if yes { Self::Yes } else { Self::No })
    }

    /// Returns it as it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// Returns the name that a value has in JSON.
fn wire(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn effect(effect: Effect) -> String {
    let words = [(effect.read_only, "read_only"), (effect.destructive, "destructive"), (effect.idempotent, "idempotent")];
    let said: Vec<_> = words.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect();
    if said.is_empty() { "unspecified".to_owned() } else { said.join(", ") }
}

/// Hashes JSON without spaces and with sorted keys.
fn hash(mut value: Value) -> String {
    value.sort_all_objects();
    let digest = Sha256::digest(value.to_string());
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
