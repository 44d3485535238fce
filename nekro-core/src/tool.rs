//! What `#[tool]` says of a function: something that the model, a person or a program can call.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    argument::ArgumentDecl,
    call::Body,
    capability::Ctx,
    error::Error,
    lend::LentDecl,
    location::Location,
    output::{Kind, Reply},
    plugin::PluginDecl,
};

/// The declaration of a tool.
#[derive(Debug)]
pub struct ToolDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The name within the plugin.
    pub name: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// A word to group tools by.
    pub category: Option<&'static str>,
    /// Words to find it by.
    pub tags: &'static [&'static str],
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it is offered in a given situation; `None` for always.
    pub when: Option<fn(&Ctx) -> bool>,
    /// How long it may take; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// What the caller gives.
    pub arguments: &'static [ArgumentDecl],
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// What it returns.
    pub output: fn() -> OutputDecl,
    /// Checks arguments without calling.
    pub check: fn(&str) -> Result<(), Error>,
    /// The function.
    pub body: Body<Result<Reply, Error>>,
    /// Where it stands.
    pub location: Location,
}

/// What a tool does to the world: hints for guards and for people, as in MCP's tool annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Effect {
    /// It changes nothing.
    pub read_only: bool,
    /// It may destroy something.
    pub destructive: bool,
    /// Calling it twice is the same as calling it once.
    pub idempotent: bool,
}

impl Effect {
    /// States the effect.
    pub const fn new(read_only: bool, destructive: bool, idempotent: bool) -> Self {
        Self { read_only, destructive, idempotent }
    }
}

/// What a tool returns, without its type.
#[derive(Clone, Copy, Debug)]
pub struct OutputDecl {
    /// What happens next.
    pub kind: Kind,
    /// Describes the value; `None` for one whose form is not JSON.
    pub schema: fn(&mut SchemaGenerator) -> Option<Schema>,
}

inventory::collect!(&'static ToolDecl);
