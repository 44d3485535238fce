//! Making a manifest of a registry.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{
    Capability, Command, Event, FORMAT, Handler, Hook, Manifest, Plugin, Prompt, Route, Schedule, Task, Through, Tool, Use,
    Webhook,
};
use crate::{
    capability::{CapabilityDecl, PEERS, RESOURCES},
    event::EventDecl,
    handler::HandlerDecl,
    init::{HookDecl, When},
    kernel::{self, CommandEntry, EventEntry, PluginEntry, Registry, RouteEntry, TaskEntry, ToolEntry, WebhookEntry},
    lend::LentDecl,
    location::Location,
    plugin::PluginDecl,
    prompt::PromptDecl,
    schedule::{ScheduleDecl, WhenDecl},
};

/// Where a tool stands that is not linked.
const OFFERED: &str = "offered at run time";

pub(super) fn manifest(registry: &Registry) -> Manifest {
    let mut plugins: Vec<Plugin> = registry.plugins().iter().map(plugin).collect();
    for entry in registry.tools() {
        let of = &mut plugins[entry.plugin];
        let tool = Tool::of_linked(entry);
        of.uses(entry.decl.lent, ("tool", entry.decl.name, entry.decl.location), entry.decl.plugin);
        of.tools.push(tool);
    }
    for entry in registry.tasks() {
        let of = &mut plugins[entry.plugin];
        of.uses(entry.decl.lent, ("task", entry.decl.name, entry.decl.location), entry.decl.plugin);
        of.tasks.push(Task::of(entry));
    }
    for decl in registry.schedules() {
        if let Some(at) = registry.plugin_index(decl.task.plugin.id) {
            plugins[at].schedules.push(schedule(decl));
        }
    }
    for entry in registry.commands() {
        let of = &mut plugins[entry.plugin];
        of.uses(entry.decl.lent, ("command", entry.decl.name, entry.decl.location), entry.decl.plugin);
        of.commands.push(Command::of(entry));
    }
    for entry in registry.routes() {
        let of = &mut plugins[entry.plugin];
        of.uses(entry.decl.lent, ("route", entry.decl.name, entry.decl.location), entry.decl.plugin);
        of.routes.push(Route::of(entry));
    }
    for of in &mut plugins {
        of.routes.sort_by(|a, b| (&a.path, a.method).cmp(&(&b.path, b.method)));
    }
    for entry in registry.webhooks() {
        let of = &mut plugins[entry.plugin];
        of.uses(entry.decl.lent, ("webhook", entry.decl.name, entry.decl.location), entry.decl.plugin);
        of.webhooks.push(Webhook::of(entry));
    }
    let mut events = Vec::new();
    // The registry has the agent's own events first; in a plugin's list, the order is by name alone.
    let mut by_name: Vec<_> = registry.events().iter().collect();
    by_name.sort_by_key(|entry| &entry.name);
    for entry in by_name {
        for listener in &entry.listeners {
            let (of, decl) = (&mut plugins[listener.plugin], listener.decl);
            of.uses(decl.lent, ("handler", decl.name, decl.location), decl.plugin);
            of.handlers.push(handler(&entry.name, decl));
        }
        let exporter = entry.decl.plugin.and_then(|plugin| registry.plugin_index(plugin.id));
        exporter.map_or(&mut events, |at| &mut plugins[at].events).push(Event::of(entry));
    }
    for (decl, at) in registry.prompt_entries() {
        plugins[*at].uses(decl.lent, ("prompt", decl.name, decl.location), decl.plugin);
        plugins[*at].prompts.push(prompt(decl));
    }
    for (entry, of) in registry.plugins().iter().zip(&mut plugins) {
        for decl in [entry.init, entry.cleanup].into_iter().flatten() {
            of.uses(decl.lent, (when(decl), "", decl.location), decl.plugin);
            of.hooks.push(hook(decl));
        }
    }
    let through: Vec<_> = (0..plugins.len()).map(|at| through(registry, &plugins, at)).collect();
    plugins.iter_mut().zip(through).for_each(|(plugin, through)| plugin.through = through);
    Manifest { format: FORMAT, core: env!("CARGO_PKG_VERSION").to_owned(), plugins, events }
}

fn plugin(entry: &PluginEntry) -> Plugin {
    let decl = entry.decl;
    Plugin {
        id: decl.id.to_owned(),
        title: owned(decl.title),
        description: decl.docs.to_owned(),
        category: owned(decl.category),
        version: decl.version.to_owned(),
        package: decl.package.to_owned(),
        authors: decl.authors.split(':').filter(|author| !author.is_empty()).map(str::to_owned).collect(),
        license: decl.license.to_owned(),
        repository: decl.repository.to_owned(),
        requires: list(decl.requires),
        location: place(decl.location, decl),
        capabilities: entry.capabilities.iter().map(|taken| capability(taken, decl)).collect(),
        through: Vec::new(),
        tools: Vec::new(),
        tasks: Vec::new(),
        schedules: Vec::new(),
        commands: Vec::new(),
        routes: Vec::new(),
        webhooks: Vec::new(),
        handlers: Vec::new(),
        prompts: Vec::new(),
        events: Vec::new(),
        config: entry.config_schema().map(sorted),
        hooks: Vec::new(),
    }
}

/// Returns what a plugin reaches through those that it may call.
fn through(registry: &Registry, plugins: &[Plugin], at: usize) -> Vec<Through> {
    let calls = |at: usize| registry.plugins()[at].capabilities.iter().any(|taken| taken.name == PEERS.name);
    let (mut seen, mut open) = (BTreeSet::new(), vec![at]);
    while let Some(caller) = open.pop() {
        if calls(caller) {
            open.extend(registry.plugins()[caller].requires.iter().copied().filter(|required| seen.insert(*required)));
        }
    }
    let of = |at: &usize| {
        let Plugin { id, capabilities, .. } = &plugins[*at];
        // To call is no reach of its own: what it leads to is listed. What is shown, the host shows.
        let touched = capabilities.iter().filter(|taken| taken.name != PEERS.name && taken.name != RESOURCES.name);
        touched.map(|taken| Through { plugin: id.clone(), capability: taken.name.clone(), scope: taken.scope.clone() })
    };
    let mut all: Vec<_> = seen.iter().flat_map(of).collect();
    all.sort();
    all
}

fn capability(decl: &CapabilityDecl, of: &PluginDecl) -> Capability {
    let mut scope = list(of.scope(decl.name));
    scope.sort();
    // The host reads what a plugin shows; none of its functions does.
    let used_by = match decl.name == RESOURCES.name {
        true => vec![Use { what: "plugin".to_owned(), name: String::new(), location: place(of.location, of) }],
        false => Vec::new(),
    };
    Capability { name: decl.name.to_owned(), summary: decl.summary.to_owned(), scope, used_by }
}

impl Plugin {
    /// Notes that a function takes what it is lent.
    fn uses(&mut self, lent: &[LentDecl], (what, name, location): (&str, &str, Location), of: &PluginDecl) {
        let taken: BTreeSet<_> = lent.iter().filter_map(|lent| lent.capability).map(|taken| taken.name).collect();
        for capability in self.capabilities.iter_mut().filter(|capability| taken.contains(capability.name.as_str())) {
            capability.used_by.push(Use { what: what.to_owned(), name: name.to_owned(), location: place(location, of) });
        }
    }
}

impl Tool {
    /// Describes a tool: of one that is not linked, the location says so.
    pub fn of(tool: &kernel::Tool<'_>) -> Self {
        match tool.entry() {
            Some(entry) => Self::of_linked(entry),
            None => Self {
                name: tool.name().to_owned(),
                description: tool.docs().to_owned(),
                category: None,
                tags: Vec::new(),
                effect: tool.effect(),
                kind: tool.kind(),
                conditional: false,
                deadline_ms: None,
                arguments: sorted(tool.arguments().clone()),
                result: tool.output().cloned().map(sorted),
                location: OFFERED.to_owned(),
            },
        }
    }

    /// Describes a linked tool.
    pub(super) fn of_linked(entry: &ToolEntry) -> Self {
        let decl = entry.decl;
        Self {
            name: entry.name.clone(),
            description: decl.docs.to_owned(),
            category: owned(decl.category),
            tags: list(decl.tags),
            effect: decl.effect,
            kind: (decl.output)().kind,
            conditional: decl.when.is_some(),
            deadline_ms: decl.deadline.map(milliseconds),
            arguments: sorted(entry.arguments().clone()),
            result: entry.output().cloned().map(sorted),
            location: place(decl.location, decl.plugin),
        }
    }
}

impl Task {
    /// Describes a task.
    pub fn of(entry: &TaskEntry) -> Self {
        let decl = entry.decl;
        Self {
            name: entry.name.clone(),
            description: decl.docs.to_owned(),
            retries: decl.retries,
            deadline_ms: decl.deadline.map(milliseconds),
            when_disabled: decl.when_disabled,
            on_terminal: owned(decl.on_terminal),
            arguments: sorted(entry.arguments().clone()),
            result: entry.output().cloned().map(sorted),
            location: place(decl.location, decl.plugin),
        }
    }
}

fn schedule(decl: &ScheduleDecl) -> Schedule {
    let when = match decl.when {
        WhenDecl::Cron(cron, zone) => format!("cron {cron} {zone}"),
        WhenDecl::Every(every) => format!("every {every:?}"),
        WhenDecl::AfterEach(every) => format!("{every:?} after each"),
        WhenDecl::At(at) => format!("at {at}"),
    };
    Schedule { name: decl.task.name.to_owned(), when, location: place(decl.location, decl.task.plugin) }
}

impl Command {
    /// Describes a command.
    pub fn of(entry: &CommandEntry) -> Self {
        let decl = entry.decl;
        Self {
            name: decl.name.to_owned(),
            aliases: list(decl.aliases),
            description: decl.docs.to_owned(),
            role: decl.role,
            deadline_ms: decl.deadline.map(milliseconds),
            arguments: sorted(entry.arguments().clone()),
            location: place(decl.location, decl.plugin),
        }
    }
}

impl Route {
    /// Describes a route.
    pub fn of(entry: &RouteEntry) -> Self {
        let decl = entry.decl;
        let shape = (decl.output)().shape;
        Self {
            method: decl.method,
            path: entry.path(),
            name: decl.name.to_owned(),
            description: decl.docs.to_owned(),
            role: decl.role,
            resource: decl.resource,
            changed_by: decl.changed_by.map(EventDecl::wire_name),
            deadline_ms: decl.deadline.map(milliseconds),
            arguments: sorted(entry.arguments().clone()),
            status: shape.status,
            media_type: owned(shape.media_type),
            answer: entry.output().cloned().map(sorted),
            nav: owned(decl.place.nav),
            card: owned(decl.place.card),
            icon: owned(decl.place.icon),
            location: place(decl.location, decl.plugin),
        }
    }
}

impl Webhook {
    /// Describes a webhook.
    pub fn of(entry: &WebhookEntry) -> Self {
        let decl = entry.decl;
        Self {
            name: decl.name.to_owned(),
            path: entry.path(),
            description: decl.docs.to_owned(),
            signature: decl.signature,
            deadline_ms: decl.deadline.map(milliseconds),
            payload: sorted(entry.payload().clone()),
            location: place(decl.location, decl.plugin),
        }
    }
}

impl Event {
    /// Describes an event.
    pub fn of(entry: &EventEntry) -> Self {
        let decl = entry.decl;
        Self {
            name: entry.name.clone(),
            sort: decl.sort,
            description: decl.docs.to_owned(),
            schema: sorted(entry.schema().clone()),
            location: match decl.plugin {
                Some(plugin) => place(decl.location, plugin),
                None => own_place(decl.location),
            },
        }
    }
}

fn handler(event: &str, decl: &HandlerDecl) -> Handler {
    Handler {
        event: event.to_owned(),
        name: decl.name.to_owned(),
        description: decl.docs.to_owned(),
        phase: decl.phase,
        priority: decl.priority,
        deadline_ms: decl.deadline.map(milliseconds),
        location: place(decl.location, decl.plugin),
    }
}

fn prompt(decl: &PromptDecl) -> Prompt {
    Prompt {
        name: decl.name.to_owned(),
        description: decl.docs.to_owned(),
        priority: decl.priority,
        budget: decl.budget,
        is_static: decl.is_static(),
        location: place(decl.location, decl.plugin),
    }
}

fn when(decl: &HookDecl) -> &'static str {
    match decl.when {
        When::Init => "init",
        When::Cleanup => "cleanup",
    }
}

fn hook(decl: &HookDecl) -> Hook {
    Hook { when: when(decl).to_owned(), location: place(decl.location, decl.plugin) }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Sorts the keys: with the feature `preserve_order` of `serde_json`, which any crate of the program may have enabled, they stand as they
/// were inserted.
fn sorted(mut schema: Value) -> Value {
    schema.sort_all_objects();
    schema
}

fn place(location: Location, of: &PluginDecl) -> String {
    within(location, of.package, of.version)
}

fn own_place(location: Location) -> String {
    within(location, env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// Takes from a path what depends on the machine: a crate of the workspace is compiled under a relative path, one from a registry under an
/// absolute one.
fn within(location: Location, package: &str, version: &str) -> String {
    let Location { file, line } = location;
    let file = file.replace('\\', "/");
    let is_absolute = file.starts_with('/') || file.as_bytes().get(1) == Some(&b':');
    if !is_absolute {
        return format!("{file}:{line}");
    }
    let directory = format!("/{package}-{version}/");
    let short = match (file.rfind(&directory), file.rfind("/src/")) {
        (Some(at), _) => &file[at + 1..],
        (None, Some(at)) => &file[at + 1..],
        (None, None) => file.rsplit('/').next().unwrap_or_default(),
    };
    if short.starts_with("src/") { format!("{package}-{version}/{short}:{line}") } else { format!("{short}:{line}") }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(file: &'static str, expected: Expect) {
        expected.assert_eq(&within(Location { file, line: 7 }, "nekro-plugin-dice", "1.2.0"));
    }

    #[test]
    fn a_place_does_not_depend_on_the_machine() {
        check("plugins/dice/src/lib.rs", expect!["plugins/dice/src/lib.rs:7"]);
        check("plugins\\dice\\src\\lib.rs", expect!["plugins/dice/src/lib.rs:7"]);
        let registry = "/somewhere/registry/src/one/nekro-plugin-dice-1.2.0/src/roll/mod.rs";
        check(registry, expect!["nekro-plugin-dice-1.2.0/src/roll/mod.rs:7"]);
        check("/somewhere/dice/src/roll/mod.rs", expect!["nekro-plugin-dice-1.2.0/src/roll/mod.rs:7"]);
        check("C:\\Users\\ada\\dice\\src\\lib.rs", expect!["nekro-plugin-dice-1.2.0/src/lib.rs:7"]);
        check("/lib.rs", expect!["lib.rs:7"]);
    }
}
