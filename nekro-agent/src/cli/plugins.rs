//! `nekro plugins`

use nekro_core::{
    HandlerDecl, When,
    kernel::{PluginEntry, PluginStatus, Stage},
};
use serde_json::{Value, json};

use super::{
    Failure, Screen,
    output::{first_line, table},
};
use crate::{assemble::Agent, style::DIM};

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
    let Some(entry) = registry.plugin(id) else {
        return Err(Failure::unknown("plugin", id, registry.plugins().iter().map(|plugin| plugin.decl.id)));
    };
    let status = agent.kernel.status().into_iter().find(|status| status.id == id);
    let value = describe(agent, entry, status.as_ref());
    screen.show(&value, || text(agent, entry, status.as_ref()));
    Ok(())
}

fn stage(status: &PluginStatus) -> String {
    match &status.stage {
        Stage::Running => "running".to_owned(),
        Stage::Disabled => "disabled".to_owned(),
        _ => "failed".to_owned(),
    }
}

fn handlers<'a>(agent: &'a Agent, id: &'a str) -> impl Iterator<Item = (&'a str, &'static HandlerDecl)> {
    let events = agent.kernel.registry().events().iter();
    events.flat_map(move |event| {
        event.handlers().filter(move |handler| handler.plugin.id == id).map(|handler| (event.name.as_str(), handler))
    })
}

fn describe(agent: &Agent, entry: &PluginEntry, status: Option<&PluginStatus>) -> Value {
    let (registry, decl) = (agent.kernel.registry(), entry.decl);
    let of = |plugin: &str| plugin == decl.id;
    json!({
        "id": decl.id,
        "title": decl.title,
        "description": decl.docs,
        "category": decl.category,
        "version": decl.version,
        "package": decl.package,
        "authors": decl.authors.split(':').filter(|author| !author.is_empty()).collect::<Vec<_>>(),
        "license": decl.license,
        "repository": decl.repository,
        "requires": decl.requires,
        "location": decl.location,
        "status": status,
        "capabilities": entry.capabilities.iter().map(|one| json!({ "name": one.name, "summary": one.summary })).collect::<Vec<_>>(),
        "tools": registry.tools().iter().filter(|tool| of(tool.decl.plugin.id)).map(|tool| &tool.name).collect::<Vec<_>>(),
        "commands": registry.commands().iter().filter(|command| of(command.decl.plugin.id)).map(|command| command.decl.name)
            .collect::<Vec<_>>(),
        "handlers": handlers(agent, decl.id).map(|(event, handler)| json!({
            "event": event, "handler": handler.name, "phase": handler.phase, "priority": handler.priority,
            "location": handler.location,
        })).collect::<Vec<_>>(),
        "events": registry.events().iter().filter(|event| event.decl.plugin.is_some_and(|plugin| of(plugin.id)))
            .map(|event| &event.name).collect::<Vec<_>>(),
        "prompts": registry.prompts().filter(|prompt| of(prompt.plugin.id)).map(|prompt| json!({
            "name": prompt.name, "description": prompt.docs, "static": prompt.is_static(),
        })).collect::<Vec<_>>(),
        "config": entry.config_schema(),
    })
}

fn text(agent: &Agent, entry: &PluginEntry, status: Option<&PluginStatus>) -> String {
    let (registry, decl) = (agent.kernel.registry(), entry.decl);
    let of = |plugin: &str| plugin == decl.id;
    let mut sections = vec![format!("{} {}", decl.id, decl.version), decl.docs.to_owned()];
    let mut section = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let body = table(&rows).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
            sections.push(format!("{DIM}{title}{DIM:#}\n{body}"));
        }
    };
    let mut facts = vec![
        vec!["package".to_owned(), decl.package.to_owned()],
        vec!["licence".to_owned(), decl.license.to_owned()],
        vec!["source".to_owned(), decl.location.to_string()],
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
    if !decl.requires.is_empty() {
        facts.push(vec!["requires".to_owned(), decl.requires.join(", ")]);
    }
    section("about", facts);
    section("may", entry.capabilities.iter().map(|one| vec![one.name.to_owned(), one.summary.to_owned()]).collect());
    let tools = registry.tools().iter().filter(|tool| of(tool.decl.plugin.id));
    section("tools", tools.map(|tool| vec![tool.name.clone(), first_line(tool.decl.docs).to_owned()]).collect());
    let commands = registry.commands().iter().filter(|command| of(command.decl.plugin.id));
    section(
        "commands",
        commands.map(|command| vec![format!("/{}", command.decl.name), first_line(command.decl.docs).to_owned()]).collect(),
    );
    section(
        "listens to",
        handlers(agent, decl.id)
            .map(|(event, handler)| vec![event.to_owned(), handler.name.to_owned(), handler.location.to_string()])
            .collect(),
    );
    let events = registry.events().iter().filter(|event| event.decl.plugin.is_some_and(|plugin| of(plugin.id)));
    section("exports", events.map(|event| vec![event.name.clone(), first_line(event.decl.docs).to_owned()]).collect());
    let prompts = registry.prompts().filter(|prompt| of(prompt.plugin.id));
    section("tells the model", prompts.map(|prompt| vec![prompt.name.to_owned(), first_line(prompt.docs).to_owned()]).collect());
    section("configuration", config_rows(entry));
    let hooks = [(When::Init, "init"), (When::Cleanup, "cleanup")].into_iter().filter(|(when, _)| entry.has_hook(*when));
    section("hooks", hooks.map(|(_, name)| vec![name.to_owned()]).collect());
    sections.join("\n\n")
}

fn config_rows(entry: &PluginEntry) -> Vec<Vec<String>> {
    let Some(schema) = entry.config_schema() else { return Vec::new() };
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
