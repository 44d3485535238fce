//! What `#[command]` says of a function: something that a person calls with a slash.

use std::time::Duration;

use crate::{
    argument::ArgumentDecl, call::Body, caller::Role, error::Error, lend::LentDecl, location::Location, output::Reply,
    plugin::PluginDecl,
};

/// The declaration of a command.
#[derive(Debug)]
pub struct CommandDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The name, without the slash; of one in a group, that of the group, a space, and its own.
    pub name: &'static str,
    /// Other names, in the same group.
    pub aliases: &'static [&'static str],
    /// The doc comment.
    pub docs: &'static str,
    /// The least that a caller must be.
    pub role: Role,
    /// How long it may take; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// What the caller gives.
    pub arguments: &'static [ArgumentDecl],
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// The function.
    pub body: Body<Result<Reply, Error>>,
    /// Where it stands.
    pub location: Location,
}

inventory::collect!(&'static CommandDecl);
