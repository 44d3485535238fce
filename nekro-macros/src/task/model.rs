//! What a `#[task]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::ExprPath;

use crate::shared::{Diagnostics, Function, Keys, Parameters, check_name};

/// How long a task waits before it is tried again, if it does not say.
pub(crate) const BACKOFF: Duration = Duration::from_secs(1);

/// A task.
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) is_tool: bool,
    pub(crate) retries: u32,
    pub(crate) backoff: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) concurrency: Option<usize>,
    /// The variant of `WhenDisabled`.
    pub(crate) when_disabled: Ident,
    pub(crate) on_terminal: Option<ExprPath>,
    pub(crate) parameters: Parameters,
}

impl Task {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let name = match keys.text("name", "build", diagnostics) {
            Some(name) => {
                check_name("the name of a task", &name.value(), &name, diagnostics);
                name.value()
            }
            None => {
                let name = syn::ext::IdentExt::unraw(ident).to_string();
                check_name("the name of a task", &name, ident, diagnostics);
                name
            }
        };
        let is_tool = keys.switch("tool", diagnostics).is_some();
        let retries = keys.number("retries", "3", diagnostics);
        let backoff = keys.duration("backoff", diagnostics);
        let deadline = keys.duration("deadline", diagnostics);
        let limit = keys.expression("concurrency", "1", diagnostics);
        let concurrency = limit.as_ref().and_then(|limit| match limit {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
                number.base10_parse::<usize>().ok().filter(|number| *number > 0)
            }
            _ => None,
        });
        if let (Some(limit), None) = (&limit, concurrency) {
            diagnostics.report(limit, "`concurrency` is a whole number above 0: write `concurrency = 1`");
        }
        let when_disabled = keys.word("when_disabled", &[("pause", "Pause"), ("cancel", "Cancel")], diagnostics);
        let on_terminal = keys.path("on_terminal", "told", diagnostics);
        keys.finish(diagnostics);
        if !function.is_async() {
            diagnostics.report(ident, "a task is `async`: it goes on beside others, and is cancelled where it waits");
        }
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a task needs a doc comment: `nekro tasks` shows it, and the model reads that of a tool");
        }
        let parameters = Parameters::read(&function.signature.inputs, "task", diagnostics);
        parameters.require_docs("`nekro tasks run` shows it, and the model reads that of a tool", diagnostics);
        Some(Self {
            name,
            docs,
            is_tool,
            retries: retries.unwrap_or(0),
            backoff: backoff.unwrap_or(BACKOFF),
            deadline,
            concurrency,
            when_disabled: format_ident!("{}", when_disabled.unwrap_or("Pause")),
            on_terminal,
            parameters,
        })
    }
}
