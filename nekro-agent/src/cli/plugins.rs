//! `nekro plugins`

use std::sync::Arc;

use nekro_core::{
    NotOffered,
    kernel::{PluginStatus, Registry, Stage},
    manifest,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Failure, Screen,
    args::PluginsCommand,
    output::{first_line, plain, table},
    policy::Word,
};
use crate::{
    assemble::Agent,
    history::HistoryPort,
    ports::SystemClock,
    settings::Checked,
    storage::{DataDirectory, Storage},
    style::DIM,
};

pub(super) fn list(agent: &Agent, screen: &Screen) -> Result<(), Failure> {
    let registry = agent.kernel.registry();
    let plugins: Vec<_> = registry.plugins().iter().zip(agent.kernel.status()).collect();
    let values: Vec<_> = plugins
        .iter()
        .map(|(entry, status)| {
            json!({ "id": entry.decl.id, "version": entry.decl.version, "status": status, "description": entry.decl.docs })
        })
        .collect();
    screen.show(&values, || {
        let rows: Vec<_> = plugins
            .iter()
            .map(|(entry, status)| {
                let decl = entry.decl;
                vec![decl.id.to_owned(), decl.version.to_owned(), stage(status), first_line(decl.docs).to_owned()]
            })
            .collect();
        if rows.is_empty() { "no plugins are linked".to_owned() } else { table(&rows) }
    });
    Ok(())
}

pub(super) fn show(agent: &Agent, id: &str, screen: &Screen) -> Result<(), Failure> {
    let registry = agent.kernel.registry();
    if registry.plugin(id).is_none() {
        return Err(Failure::unknown("plugin", id, registry.plugins().iter().map(|plugin| plugin.decl.id)));
    }
    let status = agent.kernel.status().into_iter().find(|status| status.id == id);
    let manifest = registry.manifest();
    let plugin = manifest.plugin(id).expect("the manifest has every plugin of the registry");
    let offered: Vec<_> = agent.kernel.offered(id).iter().map(manifest::Tool::of).collect();
    let policy = agent.kernel.policy().map(|policy| Word::of(policy, plugin, &offered));
    let not_offered = agent.kernel.not_offered(id);
    let description = Description { plugin, status: status.as_ref(), policy, offered, not_offered };
    screen.show(&description, || text(&description));
    Ok(())
}

/// Keeps a plugin from running, or lets it run again.
pub(super) fn switch(
    command: &PluginsCommand,
    registry: &Registry,
    settings: &Checked,
    directory: DataDirectory,
    screen: &Screen,
) -> Result<(), Failure> {
    let (id, enabled) = match command {
        PluginsCommand::Enable { id } => (id, true),
        PluginsCommand::Disable { id } => (id, false),
        PluginsCommand::Show { .. } => return Ok(()),
    };
    let Some(at) = registry.plugins().iter().position(|plugin| plugin.decl.id == id) else {
        return Err(Failure::unknown("plugin", id, registry.plugins().iter().map(|plugin| plugin.decl.id)));
    };
    let storage = Storage::new(directory, Arc::new(SystemClock));
    let runtime = super::small_runtime()?;
    runtime.block_on(async {
        let off = super::disabled(&storage).await?;
        let runs = |id: &str| !settings.disabled.contains(id) && !off.contains(id);
        if enabled && settings.disabled.contains(id) {
            return Err(Failure::work(format!("the settings disable the plugin `{id}`"))
                .with_hint("take it out of `disabled`; `nekro config show` tells where that is set"));
        }
        let dependent = registry.plugins().iter().find(|other| !enabled && other.requires.contains(&at) && runs(other.decl.id));
        if let Some(dependent) = dependent {
            return Err(Failure::work(format!("the plugin `{}` requires it: disable that one first", dependent.decl.id)));
        }
        // What is not disabled runs as the settings say.
        storage.set_enabled(id, (!enabled).then_some(false)).await.map_err(|error| Failure::of(&error))?;
        storage.close().await;
        let agent = storage.directory().agent();
        screen.show(&json!({ "id": id, "enabled": enabled, "running_agent": agent }), || {
            let now = if enabled { "enabled" } else { "disabled" };
            match agent {
                Some(_) => format!("{id} is {now} from the next start on; the agent that runs goes on as it is"),
                None => format!("{id} is {now}"),
            }
        });
        Ok(())
    })
}

fn stage(status: &PluginStatus) -> String {
    match &status.stage {
        Stage::Running => "running".to_owned(),
        Stage::Disabled => "disabled".to_owned(),
        _ => "failed".to_owned(),
    }
}

/// The manifest's word on a plugin, how it is doing, and what the policy says.
#[derive(Serialize)]
struct Description<'a> {
    #[serde(flatten)]
    plugin: &'a manifest::Plugin,
    status: Option<&'a PluginStatus>,
    policy: Option<Word<'a>>,
    /// Tools that are not linked: what the plugin offers now.
    offered: Vec<manifest::Tool>,
    /// What it does not offer, and why.
    not_offered: Vec<NotOffered>,
}

fn text(description: &Description<'_>) -> String {
    let Description { plugin, status, policy, offered, not_offered } = description;
    let mut sections = vec![format!("{} {}", plugin.id, plugin.version), plugin.description.clone()];
    let mut section = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let body = table(&rows).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
            sections.push(format!("{DIM}{title}{DIM:#}\n{body}"));
        }
    };
    let mut facts = vec![
        vec!["package".to_owned(), plugin.package.clone()],
        vec!["licence".to_owned(), plugin.license.clone()],
        vec!["source".to_owned(), plugin.location.clone()],
    ];
    if let Some(status) = status {
        facts.push(vec![
            "status".to_owned(),
            match &status.stage {
                Stage::Failed { reason } => format!("failed: {reason}"),
                _ => stage(status),
            },
        ]);
        if status.dropped > 0 {
            facts.push(vec!["dropped".to_owned(), format!("{} events, for its mailbox was full", status.dropped)]);
        }
    }
    if !plugin.requires.is_empty() {
        facts.push(vec!["requires".to_owned(), plugin.requires.join(", ")]);
    }
    let named = |name: String, docs: &str| vec![name, first_line(docs).to_owned()];
    section("about", facts);
    section("may", plugin.capabilities.iter().map(capability).collect());
    section("policy", policy.as_ref().map(Word::rows).unwrap_or_default());
    section("tools", plugin.tools.iter().map(|tool| named(tool.name.clone(), &tool.description)).collect());
    let foreign = |name: &str, text: &str| vec![plain(name).into_owned(), plain(first_line(text)).into_owned()];
    section("offers, not linked", offered.iter().map(|tool| foreign(&tool.name, &tool.description)).collect());
    section("does not offer", not_offered.iter().map(|one| foreign(&one.name, &one.reason)).collect());
    let commands = plugin.commands.iter();
    section("commands", commands.map(|command| named(format!("/{}", command.name), &command.description)).collect());
    let routes = plugin.routes.iter();
    section("routes", routes.map(|route| named(format!("{} {}", route.method, route.path), &route.description)).collect());
    let found = |title: &Option<String>, where_: &str, route: &manifest::Route| {
        let title = title.as_ref()?;
        let icon = route.icon.as_ref().map(|icon| format!("{icon} ")).unwrap_or_default();
        Some(vec![format!("{icon}{title}"), route.path.clone(), where_.to_owned()])
    };
    let places = plugin
        .routes
        .iter()
        .flat_map(|route| [found(&route.nav, "in the navigation", route), found(&route.card, "a card of the dashboard", route)]);
    section("people find", places.flatten().collect());
    let webhooks = plugin.webhooks.iter();
    section("webhooks", webhooks.map(|hook| named(hook.path.clone(), &hook.description)).collect());
    let handlers = plugin.handlers.iter();
    section("listens to", handlers.map(|one| vec![one.event.clone(), one.name.clone(), one.location.clone()]).collect());
    section("exports", plugin.events.iter().map(|event| named(event.name.clone(), &event.description)).collect());
    section("tells the model", plugin.prompts.iter().map(|prompt| named(prompt.name.clone(), &prompt.description)).collect());
    section("configuration", plugin.config.as_ref().map(config_rows).unwrap_or_default());
    section("hooks", plugin.hooks.iter().map(|hook| vec![hook.when.clone()]).collect());
    sections.join("\n\n")
}

fn capability(one: &manifest::Capability) -> Vec<String> {
    let scope = if one.scope.is_empty() { String::new() } else { format!(": {}", one.scope.join(", ")) };
    vec![one.name.clone(), format!("{}{scope}", one.summary)]
}

fn config_rows(schema: &Value) -> Vec<Vec<String>> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
    };
    let row = |(name, property): (&String, &Value)| {
        let default = match property.get("default") {
            Some(default) => format!("default {default}"),
            None if required(name) => "required".to_owned(),
            None => "optional".to_owned(),
        };
        let docs = property.get("description").and_then(Value::as_str).map(first_line).unwrap_or_default();
        vec![name.clone(), default, docs.to_owned()]
    };
    properties.iter().map(row).collect()
}
