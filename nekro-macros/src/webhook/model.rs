//! What a `#[webhook]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::{ExprPath, FnArg, Type};

use crate::shared::{Diagnostics, Function, Keys, Parameters, check_name};

/// A webhook.
pub(crate) struct Webhook {
    pub(crate) name: String,
    pub(crate) docs: String,
    /// The variant of `Signature`.
    pub(crate) signature: Ident,
    /// The field of the configuration that has the secret.
    pub(crate) secret: Ident,
    pub(crate) deadline: Option<Duration>,
    /// The type of the first parameter.
    pub(crate) delivery: Type,
    /// The parameters after it.
    pub(crate) parameters: Parameters,
}

const SIGNATURES: [(&str, &str); 5] =
    [("github", "Github"), ("gitlab", "Gitlab"), ("stripe", "Stripe"), ("slack", "Slack"), ("hmac", "Hmac")];

impl Webhook {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let name = keys.text("name", "github", diagnostics);
        match &name {
            Some(name) => check_name("the name of a webhook", &name.value(), name, diagnostics),
            None => {
                diagnostics.report(ident, "a webhook begins with its name, such as `#[webhook(\"github\", signature = github)]`")
            }
        }
        let has_signature = keys.has("signature");
        let signature = keys.word("signature", &SIGNATURES, diagnostics);
        if !has_signature {
            diagnostics.report(
                ident,
                "a webhook says how its sender proves itself: add `signature = github`, `gitlab`, `stripe`, `slack` or `hmac`",
            );
        }
        let secret = keys.path("secret", "webhook_secret", diagnostics);
        let secret = secret.map_or_else(|| Some(format_ident!("webhook_secret")), |path| field(&path, diagnostics));
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a webhook needs a doc comment: whoever sets it up reads it");
        }
        let delivery = match function.signature.inputs.first() {
            Some(FnArg::Typed(typed)) => match &*typed.ty {
                Type::Reference(reference) if reference.mutability.is_none() => Some((*reference.elem).clone()),
                other => {
                    diagnostics.report(
                        other,
                        "the first parameter of a webhook is what came, by reference, such as `hook: &Hook<Push>`",
                    );
                    None
                }
            },
            Some(FnArg::Receiver(_)) => None,
            None => {
                diagnostics.report(ident, "a webhook's first parameter is what came, such as `hook: &Hook<Push>`");
                None
            }
        };
        let is_receiver = |input: &&FnArg| matches!(input, FnArg::Receiver(_));
        let rest = function.signature.inputs.iter().enumerate();
        let rest = rest.filter(|(at, input)| *at > 0 || is_receiver(input)).map(|(_, input)| input);
        let parameters = Parameters::read(rest, "webhook", diagnostics);
        parameters.refuse_arguments("a webhook", diagnostics);
        Some(Self {
            name: name?.value(),
            docs,
            signature: format_ident!("{}", signature?),
            secret: secret?,
            deadline,
            delivery: delivery?,
            parameters,
        })
    }
}

fn field(path: &ExprPath, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let field = path.path.get_ident().cloned();
    if field.is_none() {
        diagnostics.report(path, "`secret` is a field of the plugin's struct: write `secret = webhook_secret`");
    }
    field
}
