//! The surface as a person reads it.

use std::collections::BTreeSet;

use super::{
    harmless::word,
    program::Program,
    surface::{Answer, Plugin, Surface},
};
use crate::{
    cli::table,
    style::{DIM, RED, YELLOW},
};

/// Describes a program, plugin by plugin.
pub(crate) fn text(program: &Program, surface: &Surface) -> String {
    let mut parts = vec![title(program, surface)];
    parts.extend(surface.plugins.iter().map(|(id, plugin)| self::plugin(id, plugin)));
    parts.join("\n\n")
}

fn title(program: &Program, surface: &Surface) -> String {
    let plugins = match surface.plugins.len() {
        0 => "no plugins".to_owned(),
        1 => "1 plugin".to_owned(),
        number => format!("{number} plugins"),
    };
    let core = word(&surface.nekro_core);
    match program.provenance.as_ref() {
        Some(provenance) => {
            let agent = provenance.packages.get(provenance.agent).map(|agent| format!("{} {}", agent.name, agent.version));
            let linked = provenance.packages.iter().filter(|package| package.linked).count();
            let agent = agent.unwrap_or_default();
            format!("{} with nekro-core {core}: {plugins}, linked from {linked} packages", word(&agent))
        }
        None => format!("nekro-core {core}: {plugins}; which packages it is linked from is not known"),
    }
}

fn plugin(id: &str, plugin: &Plugin) -> String {
    let mut rows = Rows(Vec::new());
    rows.add("package", &plugin.package);
    rows.add("source", &plugin.source);
    plugin.checksum.iter().for_each(|checksum| rows.add("checksum", checksum));
    rows.answer("unsafe code", plugin.unsafe_code);
    rows.answer("build script", plugin.build_script);
    rows.list("requires", &plugin.requires);
    for (name, capability) in &plugin.capabilities {
        let by = capability.used_by.iter().map(|by| word(by)).collect::<Vec<_>>().join(", ");
        let scope = capability.scope.iter().map(|scope| word(scope)).collect::<Vec<_>>().join(", ");
        let scope = if scope.is_empty() { String::new() } else { format!(": {scope}") };
        rows.styled("may", format!("{YELLOW}{}{scope}{YELLOW:#} {DIM}for {by}{DIM:#}", word(name)));
    }
    if plugin.capabilities.contains_key("offers") {
        rows.styled(
            "tools",
            format!("{YELLOW}offers tools that are not linked: `{}.…`, known only at run time{YELLOW:#}", word(id)),
        );
    }
    plugin.through.iter().for_each(|through| rows.styled("through", format!("{YELLOW}{}{YELLOW:#}", word(through))));
    for (name, tool) in &plugin.tools {
        rows.styled("tool", format!("{} {DIM}{}, {}{DIM:#}", word(name), word(&tool.effect), word(&tool.kind)));
    }
    for (name, task) in &plugin.tasks {
        rows.styled("task", format!("{} {DIM}{} when disabled{DIM:#}", word(name), word(&task.when_disabled)));
    }
    for (name, when) in &plugin.schedules {
        rows.styled("schedule", format!("{} {DIM}{}{DIM:#}", word(name), word(when)));
    }
    for (name, command) in &plugin.commands {
        rows.styled("command", format!("/{} {DIM}{}{DIM:#}", word(name), word(&command.role)));
    }
    for (name, auth) in &plugin.routes {
        rows.styled("route", format!("{} {DIM}{}{DIM:#}", word(name), word(auth)));
    }
    for (name, signature) in &plugin.webhooks {
        rows.styled("webhook", format!("{} {DIM}{}{DIM:#}", word(name), word(signature)));
    }
    for (name, event) in &plugin.events {
        rows.styled("event", format!("{} {DIM}{}{DIM:#}", word(name), word(&event.sort)));
    }
    for (name, when) in &plugin.decides {
        rows.styled("decides on", format!("{} {DIM}{}{DIM:#}", word(name), word(when)));
    }
    rows.list("listens to", &plugin.listens);
    rows.list("prompt", &plugin.prompts);
    rows.list("setting", &plugin.configuration);
    let body = table(&rows.0).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
    format!("{} {}\n{body}", word(id), word(&plugin.version))
}

/// A name and a fact to a line.
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn add(&mut self, name: &'static str, fact: &str) {
        self.styled(name, word(fact).into_owned());
    }

    fn styled(&mut self, name: &'static str, fact: String) {
        self.0.push(vec![name.to_owned(), fact]);
    }

    fn answer(&mut self, name: &'static str, answer: Answer) {
        self.styled(
            name,
            match answer {
                Answer::No => "no".to_owned(),
                other => format!("{RED}{}{RED:#}", other.name()),
            },
        );
    }

    fn list(&mut self, name: &'static str, facts: &BTreeSet<String>) {
        facts.iter().for_each(|fact| self.add(name, fact));
    }
}
