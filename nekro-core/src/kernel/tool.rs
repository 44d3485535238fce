//! A tool as callers find it, linked or offered: whoever lists or calls need not know which.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use super::{ToolEntry, describe::schema_of, offered::OfferedEntry};
use crate::{capability::Ctx, lend::LentKind, output::Kind, plugin::PluginDecl, tool::Effect};

/// A tool as callers find it.
#[derive(Clone)]
pub struct Tool<'k>(pub(super) Source<'k>);

#[derive(Clone)]
pub(super) enum Source<'k> {
    Linked(&'k ToolEntry),
    Offered(Arc<OfferedEntry>),
}

/// An argument of a tool.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Parameter<'t> {
    /// Its name.
    pub name: &'t str,
    /// What it is for; empty if nobody says.
    pub docs: &'t str,
    /// Its JSON Schema. What it refers to stands beside the arguments of the tool.
    pub schema: &'t Value,
    /// Whether it may be left out.
    pub optional: bool,
}

impl<'k> Tool<'k> {
    /// Finds a linked tool as callers do.
    pub fn linked(entry: &'k ToolEntry) -> Self {
        Self(Source::Linked(entry))
    }

    /// Returns the name that callers use, such as `dice.roll`.
    pub fn name(&self) -> &str {
        match &self.0 {
            Source::Linked(entry) => &entry.name,
            Source::Offered(entry) => &entry.name,
        }
    }

    /// Returns the plugin.
    pub fn plugin(&self) -> &'static PluginDecl {
        match &self.0 {
            Source::Linked(entry) => entry.decl.plugin,
            Source::Offered(entry) => entry.plugin,
        }
    }

    /// Returns the entry of a linked tool; `None` for one that is offered.
    pub fn entry(&self) -> Option<&'k ToolEntry> {
        match &self.0 {
            Source::Linked(entry) => Some(entry),
            Source::Offered(_) => None,
        }
    }

    /// Returns what the model reads to decide when to call.
    pub fn docs(&self) -> &str {
        match &self.0 {
            Source::Linked(entry) => entry.decl.docs,
            Source::Offered(entry) => &entry.tool.docs,
        }
    }

    /// Returns what it does to the world.
    pub fn effect(&self) -> Effect {
        match &self.0 {
            Source::Linked(entry) => entry.decl.effect,
            Source::Offered(entry) => entry.tool.effect,
        }
    }

    /// Returns what happens after it has answered.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Source::Linked(entry) => (entry.decl.output)().kind,
            Source::Offered(_) => Kind::Value,
        }
    }

    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        match &self.0 {
            Source::Linked(entry) => entry.arguments(),
            Source::Offered(entry) => &entry.tool.arguments,
        }
    }

    /// Describes the answer; `None` for one whose form is not JSON.
    pub fn output(&self) -> Option<&Value> {
        match &self.0 {
            Source::Linked(entry) => entry.output(),
            Source::Offered(entry) => entry.tool.output.as_ref(),
        }
    }

    /// Returns the arguments one by one: in the order of the function's, or those of an offered tool by name, with those first that it needs.
    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        match &self.0 {
            Source::Linked(entry) => {
                let schema = entry.arguments();
                let parameter = |decl: &crate::argument::ArgumentDecl| Parameter {
                    name: decl.name,
                    docs: decl.docs,
                    schema: schema_of(schema, decl.name),
                    optional: decl.is_optional(),
                };
                entry.decl.arguments.iter().map(parameter).collect()
            }
            Source::Offered(entry) => {
                let schema = &entry.tool.arguments;
                let required = schema.get("required").and_then(Value::as_array);
                let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)));
                let properties = schema.get("properties").and_then(Value::as_object);
                let mut parameters: Vec<_> = properties
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| Parameter {
                        name,
                        docs: schema.get("description").and_then(Value::as_str).unwrap_or_default(),
                        schema,
                        optional: !is_required(name),
                    })
                    .collect();
                parameters.sort_by_key(|parameter| (parameter.optional, parameter.name));
                parameters
            }
        }
    }

    /// Tells whether it may report how far a call of it has come: its function takes [`Progress`](crate::Progress), or it is offered.
    pub fn has_progress(&self) -> bool {
        self.entry().is_none_or(|entry| entry.decl.lent.iter().any(|lent| lent.kind == LentKind::Progress))
    }

    pub(super) fn plugin_index(&self) -> usize {
        match &self.0 {
            Source::Linked(entry) => entry.plugin,
            Source::Offered(entry) => entry.at,
        }
    }

    pub(super) fn when(&self) -> Option<fn(&Ctx) -> bool> {
        self.entry().and_then(|entry| entry.decl.when)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.entry().and_then(|entry| entry.decl.deadline)
    }
}

impl fmt::Debug for Tool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tool").field(&self.name()).finish()
    }
}
