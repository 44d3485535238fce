//! What an `#[event]` says, checked.

use syn::{ExprPath, Fields, Ident, ItemStruct};

use crate::shared::{Diagnostics, Keys, check_name, docs, snake_case};

/// An event.
pub(crate) struct Event {
    pub(crate) item: ItemStruct,
    pub(crate) name: String,
    pub(crate) docs: String,
    /// The verdict, if it is a decision.
    pub(crate) decision: Option<ExprPath>,
    pub(crate) revise: Option<ExprPath>,
    /// One of the agent's own, declared in `nekro-core`.
    pub(crate) builtin: bool,
    pub(crate) session: Option<Ident>,
    pub(crate) turn: Option<Ident>,
}

impl Event {
    pub(crate) fn read(item: ItemStruct, mut keys: Keys, diagnostics: &mut Diagnostics) -> Self {
        let name = match keys.text("name", "note_saved", diagnostics) {
            Some(name) => {
                check_name("the name of an event", &name.value(), &name, diagnostics);
                name.value()
            }
            None => snake_case(&item.ident.to_string()),
        };
        let decision = keys.path("decision", "Approval", diagnostics);
        let revise = keys.path("revise", "apply", diagnostics);
        // Not among the keys that a message would offer.
        let builtin = keys.hidden_switch("builtin");
        keys.finish(diagnostics);
        if let (Some(revise), None) = (&revise, &decision) {
            diagnostics.report(revise, "`revise` is for decisions: a fact has no verdict that could change it");
        }
        let docs = docs(&item.attrs);
        if docs.is_empty() {
            diagnostics.report(&item.ident, "an event needs a doc comment: authors of handlers read it");
        }
        if !item.generics.params.is_empty() {
            diagnostics.report(&item.generics, "an event cannot be generic: it has one name and one schema");
        }
        let field = |name: &str| item.fields.iter().filter_map(|field| field.ident.clone()).find(|ident| ident == name);
        let (session, turn) = (field("session"), field("turn"));
        if let Fields::Unnamed(fields) = &item.fields {
            diagnostics.report(fields, "an event has named fields: write `pub struct NoteSaved { pub key: String }`");
        }
        Self { item, name, docs, decision, revise, builtin, session, turn }
    }

    /// Tells whether the rest of the expansion can work with the struct.
    pub(crate) fn is_usable(&self) -> bool {
        self.item.generics.params.is_empty() && !matches!(self.item.fields, Fields::Unnamed(_))
    }
}
