//! What an `#[on_event]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::{FnArg, Type};

use crate::shared::{Diagnostics, Function, Keys, Parameters};

/// An event handler.
pub(crate) struct Handler {
    pub(crate) name: String,
    pub(crate) docs: String,
    /// The event's type.
    pub(crate) event: Type,
    /// The variant of `Phase`.
    pub(crate) phase: Ident,
    pub(crate) priority: i32,
    pub(crate) deadline: Option<Duration>,
    /// The parameters after the event.
    pub(crate) parameters: Parameters,
}

impl Handler {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let phases = [("early", "Early"), ("normal", "Normal"), ("late", "Late")];
        let phase = keys.word("phase", &phases, diagnostics).unwrap_or("Normal");
        let priority = keys.number("priority", "10", diagnostics).unwrap_or(0);
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        let ident = &function.signature.ident;
        let event = match function.signature.inputs.first() {
            Some(FnArg::Typed(typed)) => match &*typed.ty {
                Type::Reference(reference) if reference.mutability.is_none() => Some((*reference.elem).clone()),
                other => {
                    diagnostics.report(
                        other,
                        "the first parameter of a handler is the event, by reference, such as `event: &SessionCreated`",
                    );
                    None
                }
            },
            // The receiver is reported with the other parameters.
            Some(FnArg::Receiver(_)) => None,
            None => {
                diagnostics.report(ident, "a handler's first parameter is its event, such as `event: &SessionCreated`");
                None
            }
        };
        let is_receiver = |input: &&FnArg| matches!(input, FnArg::Receiver(_));
        let rest = function.signature.inputs.iter().enumerate();
        let rest = rest.filter(|(at, input)| *at > 0 || is_receiver(input)).map(|(_, input)| input);
        let parameters = Parameters::read(rest, "on_event", diagnostics);
        parameters.refuse_arguments("a handler", diagnostics);
        let name = syn::ext::IdentExt::unraw(ident).to_string();
        Some(Self { name, docs: function.docs(), event: event?, phase: format_ident!("{phase}"), priority, deadline, parameters })
    }
}
