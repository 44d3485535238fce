//! What a `#[tool]` says, checked.

use std::time::Duration;

use syn::Expr;

use crate::shared::{Diagnostics, Function, Keys, Parameters, check_name};

/// A tool.
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) category: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) destructive: bool,
    pub(crate) idempotent: bool,
    pub(crate) when: Option<Expr>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) parameters: Parameters,
}

impl Tool {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let name = match keys.text("name", "roll", diagnostics) {
            Some(name) => {
                check_name("the name of a tool", &name.value(), &name, diagnostics);
                name.value()
            }
            None => {
                let name = syn::ext::IdentExt::unraw(ident).to_string();
                check_name("the name of a tool", &name, ident, diagnostics);
                name
            }
        };
        let category = keys.text("category", "games", diagnostics).map(|text| text.value());
        let tags = keys.texts("tags", "dice", diagnostics).iter().map(syn::LitStr::value).collect();
        let read_only = keys.switch("read_only", diagnostics);
        let destructive = keys.switch("destructive", diagnostics);
        let idempotent = keys.switch("idempotent", diagnostics);
        let when = keys.expression("when", "is_private", diagnostics);
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        if let (Some(_), Some(destructive)) = (&read_only, &destructive) {
            diagnostics.report(destructive, "a tool that is `read_only` cannot be `destructive`: remove one of the two");
        }
        let (read_only, destructive, idempotent) = (read_only.is_some(), destructive.is_some(), idempotent.is_some());
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a tool needs a doc comment: the model reads it to decide when to call");
        }
        let parameters = Parameters::read(&function.signature.inputs, "tool", diagnostics);
        parameters.require_docs("the model reads it to decide what to give", diagnostics);
        Some(Self { name, docs, category, tags, read_only, destructive, idempotent, when, deadline, parameters })
    }
}
