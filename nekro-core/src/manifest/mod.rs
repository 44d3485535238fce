//! What is linked, as data: the manifest.
//!
//! It describes every plugin, and everything that plugins bring, to the last schema. Made from a [`Registry`], it depends on nothing
//! but what is linked: two builds of the same sources have the same manifest to the byte, whatever the order of registration or the
//! profile. The build step writes it and embeds it in the program; at the start the program compares itself with it.

mod difference;
mod embedded;
mod files;
mod provenance;
mod read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    difference::Difference,
    embedded::{Embedded, MAGIC, MAX_SECTION, MismatchError, SectionError, own_section, section, unwrap_section, verify},
    provenance::{PATH, PROVENANCE_FORMAT, Package, PluginSource, Provenance, unwrap_provenance},
};
use crate::{
    caller::Role, event::Sort, handler::Phase, kernel::Registry, output::Kind, route::Method, task::WhenDisabled, tool::Effect,
    web::Signature,
};

/// The version of the form of the manifest. It changes when a reader of the old form would misread the new one.
pub const FORMAT: u32 = 1;

/// The dialect of every schema.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What is linked into a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of `nekro-core`.
    pub core: String,
    /// The plugins, sorted by id.
    pub plugins: Vec<Plugin>,
    /// The agent's own events, sorted by name.
    pub events: Vec<Event>,
}

/// A plugin, and everything that it brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plugin {
    /// The id, such as `weather`.
    pub id: String,
    /// A name for people.
    pub title: Option<String>,
    /// The doc comment of its struct.
    pub description: String,
    /// A word to group plugins by.
    pub category: Option<String>,
    /// The version of its package.
    pub version: String,
    /// The name of its package.
    pub package: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Its licence, as an SPDX expression; empty if it says none.
    pub license: String,
    /// Where its source is kept; empty if it does not say.
    pub repository: String,
    /// The plugins that it requires, such as `notes ^1`.
    pub requires: Vec<String>,
    /// Where its struct stands.
    pub location: String,
    /// What its functions may touch, sorted by name.
    pub capabilities: Vec<Capability>,
    /// What it reaches through the plugins whose tools it may call: whatever they may touch, and those that they may call in turn. Sorted;
    /// empty for a plugin that does not take `peers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Through>,
    /// Its tools, sorted by name.
    pub tools: Vec<Tool>,
    /// Its tasks, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// Its schedules, sorted by name; each has the name of the task that it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// Its commands, sorted by name.
    pub commands: Vec<Command>,
    /// Its routes, sorted by path and method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Its webhooks, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Its event handlers, sorted by event and then in the order in which they are called.
    pub handlers: Vec<Handler>,
    /// Its prompt sections, in the order in which they are put together.
    pub prompts: Vec<Prompt>,
    /// The events that it exports, sorted by name.
    pub events: Vec<Event>,
    /// The JSON Schema of its configuration; `None` for a plugin without.
    pub config: Option<Value>,
    /// Its `#[init]` and `#[cleanup]` functions.
    pub hooks: Vec<Hook>,
}

/// A capability of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capability {
    /// The name, such as `store`.
    pub name: String,
    /// What a function that takes it can do.
    pub summary: String,
    /// How far it reaches, as the plugin declares it: the hosts of `http`, say, or the variables of `env`. Sorted; empty for one that
    /// has no bounds to declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The functions that take it.
    pub used_by: Vec<Use>,
}

/// A capability that a plugin reaches through another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Through {
    /// The other plugin.
    pub plugin: String,
    /// The capability.
    pub capability: String,
    /// How far it reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
}

/// A function that takes a capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Use {
    /// What it is: `tool`, `task`, `command`, `route`, `webhook`, `handler`, `prompt`, `init` or `cleanup`.
    pub what: String,
    /// Its name; empty for `init` and `cleanup`.
    pub name: String,
    /// Where it stands.
    pub location: String,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// The name that callers use, such as `dice.roll`.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// A word to group tools by.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it does to the world.
    pub effect: Effect,
    /// What happens after it has answered.
    pub kind: Kind,
    /// Whether it is offered in some situations only.
    pub conditional: bool,
    /// How long it may take, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// The JSON Schema of its arguments.
    pub arguments: Value,
    /// The JSON Schema of its result; `None` for one whose form is not JSON.
    pub result: Option<Value>,
    /// Where the function stands.
    pub location: String,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// The name that callers use, such as `index.build`.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// How often it is tried again after a failure.
    pub retries: u32,
    /// How long it may run, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// What becomes of it when its plugin is disabled.
    pub when_disabled: WhenDisabled,
    /// The task that is started when it has ended.
    pub on_terminal: Option<String>,
    /// The JSON Schema of its arguments.
    pub arguments: Value,
    /// The JSON Schema of its result; `None` for one whose form is not JSON.
    pub result: Option<Value>,
    /// Where the function stands.
    pub location: String,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schedule {
    /// The name within the plugin, and of the task.
    pub name: String,
    /// When it is due, such as `cron 0 9 * * 1-5 Europe/Berlin`.
    pub when: String,
    /// Where the function stands.
    pub location: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Command {
    /// The name, without the slash.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// The doc comment.
    pub description: String,
    /// The least that a caller must be.
    pub role: Role,
    /// How long it may take, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// The JSON Schema of its arguments.
    pub arguments: Value,
    /// Where the function stands.
    pub location: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The whole path, such as `/p/board/boards/{id}`.
    pub path: String,
    /// The function's name.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// The least that a caller must be; `None` for everybody.
    pub role: Option<Role>,
    /// Whether its answer is a resource, too, for MCP clients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resource: bool,
    /// The event after which the answer may be another, if the route says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// How long it may take, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// The JSON Schema of its arguments.
    pub arguments: Value,
    /// The status of its answer; 0 if the function chooses.
    pub status: u16,
    /// The media type of its answer; `None` if the function chooses, or there is no body.
    pub media_type: Option<String>,
    /// The JSON Schema of its answer; `None` for one that is not JSON.
    pub answer: Option<Value>,
    /// What the navigation calls it, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nav: Option<String>,
    /// What stands above its card on the dashboard, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// A sign to know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Where the function stands.
    pub location: String,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The name.
    pub name: String,
    /// The whole path, such as `/hooks/github/github`.
    pub path: String,
    /// The doc comment.
    pub description: String,
    /// How the sender proves itself.
    pub signature: Signature,
    /// How long handling it may take, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// The JSON Schema of the payload.
    pub payload: Value,
    /// Where the function stands.
    pub location: String,
}

/// An event handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Handler {
    /// The event's name on the wire.
    pub event: String,
    /// The function's name.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// Which of a decision's handlers come first.
    pub phase: Phase,
    /// Within a phase, a higher priority comes first.
    pub priority: i32,
    /// How long it may take, in milliseconds; `None` for the host's limit.
    pub deadline_ms: Option<u64>,
    /// Where the function stands.
    pub location: String,
}

/// A prompt section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prompt {
    /// The name.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// Sections with a higher priority come first.
    pub priority: i32,
    /// The most characters that it may have; `None` for the host's limit.
    pub budget: Option<usize>,
    /// Whether it changes only with the configuration.
    #[serde(rename = "static")]
    pub is_static: bool,
    /// Where the function stands.
    pub location: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// The name on the wire.
    pub name: String,
    /// Whether it is a fact or a decision.
    pub sort: Sort,
    /// The doc comment.
    pub description: String,
    /// Its JSON Schema.
    pub schema: Value,
    /// Where the struct stands.
    pub location: String,
}

/// An `#[init]` or `#[cleanup]` function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hook {
    /// `init` or `cleanup`.
    pub when: String,
    /// Where the function stands.
    pub location: String,
}

impl Manifest {
    /// Describes what is linked.
    pub fn of(registry: &Registry) -> Self {
        read::manifest(registry)
    }

    /// Returns a plugin by its id.
    pub fn plugin(&self, id: &str) -> Option<&Plugin> {
        self.plugins.binary_search_by(|plugin| plugin.id.as_str().cmp(id)).ok().map(|at| &self.plugins[at])
    }

    /// Returns the manifest as compact JSON: the same bytes for the same manifest.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("every key of a manifest is text, and memory takes what is written")
    }
}

impl Registry {
    /// Describes what is linked; the same to the byte for the same plugins, whatever the order of their registration.
    pub fn manifest(&self) -> Manifest {
        Manifest::of(self)
    }
}
