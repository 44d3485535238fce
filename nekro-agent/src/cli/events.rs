//! `nekro events`

use nekro_core::{HandlerDecl, event::Sort, kernel::EventEntry, manifest};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Failure, Screen,
    output::{first_line, table},
};
use crate::{assemble::Agent, style::DIM};

pub(super) fn list(agent: &Agent, screen: &Screen) -> Result<(), Failure> {
    let events = agent.kernel.registry().events();
    screen.show(&events.iter().map(describe).collect::<Vec<_>>(), || {
        let part = |sort| {
            let of_sort = events.iter().filter(|event| event.decl.sort == sort);
            table(&of_sort.map(|event| vec![event.name.clone(), listeners(event), first_line(event.decl.docs).to_owned()]).collect::<Vec<_>>())
        };
        format!(
            "{DIM}decisions: handlers are awaited, and their verdicts merged{DIM:#}\n{}\n\n{DIM}facts: handlers observe them{DIM:#}\n{}",
            part(Sort::Decision),
            part(Sort::Fact)
        )
    });
    Ok(())
}

pub(super) fn show(agent: &Agent, name: &str, screen: &Screen) -> Result<(), Failure> {
    let registry = agent.kernel.registry();
    let Some(event) = registry.event(name) else {
        return Err(Failure::unknown("event", name, registry.events().iter().map(|event| event.name.as_str())));
    };
    let value = describe(event);
    screen.show(&value, || {
        let listeners: Vec<_> = event
            .handlers()
            .map(|handler| vec![handler.plugin.id.to_owned(), handler.name.to_owned(), handler.location.to_string()])
            .collect();
        let listeners = if listeners.is_empty() { "nobody".to_owned() } else { table(&listeners) };
        format!(
            "{} ({}), emitted by {}\n{}\n\n{DIM}listeners, in order{DIM:#}\n{listeners}\n\n{DIM}schema{DIM:#}\n{:#}",
            event.name,
            if event.decl.sort == Sort::Fact { "a fact" } else { "a decision" },
            emitter(event),
            event.decl.docs,
            event.schema()
        )
    });
    Ok(())
}

fn emitter(event: &EventEntry) -> String {
    event.decl.plugin.map_or_else(|| "the agent".to_owned(), |plugin| format!("the plugin `{}`", plugin.id))
}

fn listeners(event: &EventEntry) -> String {
    let mut plugins: Vec<_> = event.handlers().map(|handler| handler.plugin.id).collect();
    plugins.dedup();
    if plugins.is_empty() { "-".to_owned() } else { plugins.join(", ") }
}

/// The manifest's word on an event, and who listens to it.
#[derive(Serialize)]
struct Description {
    #[serde(flatten)]
    event: manifest::Event,
    emitted_by: &'static str,
    listeners: Vec<Value>,
}

fn describe(event: &EventEntry) -> Description {
    let listener = |handler: &'static HandlerDecl| {
        json!({
            "plugin": handler.plugin.id, "handler": handler.name, "phase": handler.phase, "priority": handler.priority,
            "location": handler.location,
        })
    };
    Description {
        event: manifest::Event::of(event),
        emitted_by: event.decl.plugin.map_or("agent", |plugin| plugin.id),
        listeners: event.handlers().map(listener).collect(),
    }
}
