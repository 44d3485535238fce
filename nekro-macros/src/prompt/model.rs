//! What a `#[prompt]` says, checked.

use crate::shared::{Diagnostics, Function, Keys, Parameters, check_name};

/// A prompt section.
pub(crate) struct Prompt {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) priority: i32,
    pub(crate) budget: Option<usize>,
    pub(crate) parameters: Parameters,
}

impl Prompt {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let name = match keys.text("name", "rules", diagnostics) {
            Some(name) => {
                check_name("the name of a prompt section", &name.value(), &name, diagnostics);
                name.value()
            }
            None => syn::ext::IdentExt::unraw(ident).to_string(),
        };
        let priority = keys.number("priority", "10", diagnostics).unwrap_or(0);
        let budget = keys.number("budget", "500", diagnostics);
        keys.finish(diagnostics);
        let parameters = Parameters::read(&function.signature.inputs, "prompt", diagnostics);
        parameters.refuse_arguments("a prompt section", diagnostics);
        Some(Self { name, docs: function.docs(), priority, budget, parameters })
    }
}
