//! What a registry holds: a declaration with its place among the others, and its schemas, which are made when somebody asks.

use std::{ops::Range, sync::OnceLock};

use serde_json::Value;

use super::describe::{body_schema, described, object_schema};
use crate::{
    capability::CapabilityDecl,
    command::CommandDecl,
    event::EventDecl,
    handler::HandlerDecl,
    init::{HookDecl, When},
    plugin::PluginDecl,
    task::TaskDecl,
    tool::ToolDecl,
};

/// A linked plugin.
#[derive(Debug)]
pub struct PluginEntry {
    /// What it says of itself.
    pub decl: &'static PluginDecl,
    /// The plugins it requires, as indices.
    pub requires: Vec<usize>,
    /// The capabilities that its functions take, sorted by name.
    pub capabilities: Vec<&'static CapabilityDecl>,
    pub(crate) init: Option<&'static HookDecl>,
    pub(crate) cleanup: Option<&'static HookDecl>,
}

/// A linked tool.
#[derive(Debug)]
pub struct ToolEntry {
    /// What it says of itself.
    pub decl: &'static ToolDecl,
    /// The name that callers use, such as `dice.roll`.
    pub name: String,
    pub(crate) plugin: usize,
    // Its place in the list.
    pub(crate) number: usize,
    pub(super) arguments: OnceLock<Value>,
    pub(super) output: OnceLock<Option<Value>>,
}

/// A linked task.
#[derive(Debug)]
pub struct TaskEntry {
    /// What it says of itself.
    pub decl: &'static TaskDecl,
    /// The name that callers use, such as `index.build`.
    pub name: String,
    pub(crate) plugin: usize,
    pub(super) arguments: OnceLock<Value>,
    pub(super) output: OnceLock<Option<Value>>,
}

/// A linked command.
#[derive(Debug)]
pub struct CommandEntry {
    /// What it says of itself.
    pub decl: &'static CommandDecl,
    pub(crate) plugin: usize,
    // Its place in the list.
    pub(crate) number: usize,
    pub(super) arguments: OnceLock<Value>,
}

/// A linked event.
#[derive(Debug)]
pub struct EventEntry {
    /// What it says of itself.
    pub decl: &'static EventDecl,
    /// The name on the wire.
    pub name: String,
    /// Its handlers, in the order in which they are called.
    pub(crate) listeners: Vec<Listener>,
    /// For a fact: which of the listeners belong to which plugin.
    pub(crate) groups: Vec<(usize, Range<usize>)>,
    pub(super) schema: OnceLock<Value>,
}

impl EventEntry {
    /// Returns its handlers, in the order in which they are called.
    pub fn handlers(&self) -> impl Iterator<Item = &'static HandlerDecl> {
        self.listeners.iter().map(|listener| listener.decl)
    }

    /// Describes the event.
    pub fn schema(&self) -> &Value {
        self.schema.get_or_init(|| described(self.decl.schema))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    pub(crate) decl: &'static HandlerDecl,
    pub(crate) plugin: usize,
    // Numbers the handlers through; the kernel keeps a breaker for each.
    pub(crate) number: usize,
}

impl ToolEntry {
    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }

    /// Describes the answer; `None` for one whose form is not JSON.
    pub fn output(&self) -> Option<&Value> {
        self.output.get_or_init(|| body_schema((self.decl.output)().schema)).as_ref()
    }
}

impl TaskEntry {
    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }

    /// Describes the result; `None` for one whose form is not JSON.
    pub fn output(&self) -> Option<&Value> {
        self.output.get_or_init(|| body_schema((self.decl.output)().schema)).as_ref()
    }
}

impl CommandEntry {
    /// Returns the group that it is in, which is the first word of its name.
    pub fn group(&self) -> Option<&'static str> {
        self.decl.name.split_once(' ').map(|(group, _)| group)
    }

    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }
}

impl PluginEntry {
    /// Tells whether the plugin has a hook.
    pub fn has_hook(&self, when: When) -> bool {
        match when {
            When::Init => self.init.is_some(),
            When::Cleanup => self.cleanup.is_some(),
        }
    }

    /// Describes the configuration; `None` for a plugin without.
    pub fn config_schema(&self) -> Option<Value> {
        self.decl.config.schema.map(crate::config::schema)
    }
}
