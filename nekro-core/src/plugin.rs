//! What `#[plugin]` says of a crate.

use std::any::Any;

use schemars::{Schema, SchemaGenerator};

use crate::{argument::ConfigMistake, capability::MigrationStep, location::Location};

/// The type that `#[plugin]` stands on. Implemented by that attribute; the kernel and the other attributes name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plugin",
    note = "put `#[plugin]` on the struct at the root of the crate"
)]
pub trait Plugin: Send + Sync + 'static {
    /// What the attribute, the doc comment and `Cargo.toml` say.
    const DECL: &'static PluginDecl;
}

/// The declaration of a plugin: data, made at compile time.
#[derive(Debug)]
pub struct PluginDecl {
    /// The id, such as `weather`: lower case letters, digits and `_`.
    pub id: &'static str,
    /// The doc comment of the struct.
    pub docs: &'static str,
    /// A name for people, if the id is not enough.
    pub title: Option<&'static str>,
    /// A word to group plugins by.
    pub category: Option<&'static str>,
    /// The version in `Cargo.toml`.
    pub version: &'static str,
    /// The authors in `Cargo.toml`, separated by `:`.
    pub authors: &'static str,
    /// The licence in `Cargo.toml`; empty if there is none.
    pub license: &'static str,
    /// The repository in `Cargo.toml`; empty if there is none.
    pub repository: &'static str,
    /// The package's name.
    pub package: &'static str,
    /// The plugins that must be there and start first, such as `notes ^1`.
    pub requires: &'static [&'static str],
    /// How far those of its capabilities reach that have bounds.
    pub scopes: &'static [ScopeDecl],
    /// What brings the values in its store from each version to the next, beginning with version 1.
    pub migrations: &'static [MigrationStep],
    /// Where the struct stands.
    pub location: Location,
    /// The configuration.
    pub config: ConfigDecl,
}

impl PluginDecl {
    /// Returns how far one of its capabilities reaches, such as the variables of `env`; nothing if it does not say.
    pub fn scope(&self, capability: &str) -> &'static [&'static str] {
        self.scopes.iter().find(|scope| scope.capability == capability).map_or(&[], |scope| scope.entries)
    }
}

/// How far a capability of a plugin reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeDecl {
    /// The capability, such as `env`.
    pub capability: &'static str,
    /// What it reaches: the variables of `env`, the hosts of `http`, the programs of `process`, the directories of `files`.
    pub entries: &'static [&'static str],
}

/// The configuration of a plugin: how to read it and what it looks like.
#[derive(Debug)]
pub struct ConfigDecl {
    /// Reads the configuration from JSON.
    pub read: fn(&str) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake>,
    /// Describes it; `None` for a plugin without configuration.
    pub schema: Option<fn(&mut SchemaGenerator) -> Schema>,
}

inventory::collect!(&'static PluginDecl);
