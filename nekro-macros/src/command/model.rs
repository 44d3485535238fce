//! What a `#[command]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;

use crate::shared::{Diagnostics, Function, Keys, Parameters, check_name};

/// A command.
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) docs: String,
    /// The variant of `Role`.
    pub(crate) role: Ident,
    pub(crate) deadline: Option<Duration>,
    pub(crate) parameters: Parameters,
}

impl Command {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let name = match keys.text("name", "roll", diagnostics) {
            Some(name) => {
                check_name("the name of a command", &name.value(), &name, diagnostics);
                name.value()
            }
            None => {
                let name = syn::ext::IdentExt::unraw(ident).to_string();
                check_name("the name of a command", &name, ident, diagnostics);
                name
            }
        };
        let group = keys.text("group", "note", diagnostics).map(|group| {
            check_name("the name of a group of commands", &group.value(), &group, diagnostics);
            group.value()
        });
        let aliases = keys.texts("aliases", "r", diagnostics);
        for alias in &aliases {
            check_name("an alias of a command", &alias.value(), alias, diagnostics);
        }
        let roles = [("guest", "Guest"), ("user", "User"), ("manager", "Manager"), ("admin", "Admin")];
        let role = keys.word("role", &roles, diagnostics).unwrap_or("User");
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a command needs a doc comment: `/help` shows it");
        }
        let parameters = Parameters::read(&function.signature.inputs, "command", diagnostics);
        parameters.require_docs("`/help` shows it", diagnostics);
        let full = |name: String| group.as_ref().map_or_else(|| name.clone(), |group| format!("{group} {name}"));
        let (name, aliases) = (full(name), aliases.iter().map(|alias| full(alias.value())).collect());
        Some(Self { name, aliases, docs, role: format_ident!("{role}"), deadline, parameters })
    }
}
