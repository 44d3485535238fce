//! What a `#[route]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::LitStr;

use super::parse::Head;
use crate::shared::{Diagnostics, Function, Keys, Parameters};

/// A route.
pub(crate) struct Route {
    pub(crate) name: String,
    /// The variant of `Method`.
    pub(crate) method: Ident,
    pub(crate) path: String,
    pub(crate) docs: String,
    /// The variant of `Role`; none for everybody.
    pub(crate) role: Option<Ident>,
    /// Whether its answer is a resource, too.
    pub(crate) resource: bool,
    pub(crate) deadline: Option<Duration>,
    pub(crate) parameters: Parameters,
}

const METHODS: [(&str, &str); 5] = [("GET", "Get"), ("POST", "Post"), ("PUT", "Put"), ("PATCH", "Patch"), ("DELETE", "Delete")];

const AUTH: [(&str, Option<&str>); 4] =
    [("user", Some("User")), ("manager", Some("Manager")), ("admin", Some("Admin")), ("public", None)];

impl Route {
    pub(super) fn read(head: &Head, function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let method = read_method(head, ident, diagnostics);
        let path = read_path(head, ident, diagnostics);
        let has_auth = keys.has("auth");
        let role = keys.word("auth", &AUTH, diagnostics);
        if !has_auth {
            diagnostics.report(
                ident,
                "a route says who may ask for it: add `auth = user`, `manager` or `admin`, or `auth = public` for everybody",
            );
        }
        let resource = keys.switch("resource", diagnostics);
        if let (Some(resource), Some(method)) = (&resource, &method)
            && *method != "Get"
        {
            diagnostics.report(resource, "a resource is read: only a route with `GET` can be one");
        }
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a route needs a doc comment: the description of the HTTP interface shows it");
        }
        let parameters = Parameters::read(&function.signature.inputs, "route", diagnostics);
        if let Some(path) = &path {
            check_arguments(path, &parameters, diagnostics);
        }
        let name = syn::ext::IdentExt::unraw(ident).to_string();
        let role = role.flatten().map(|role| format_ident!("{role}"));
        Some(Self { name, method: method?, path: path?.value(), docs, role, resource: resource.is_some(), deadline, parameters })
    }
}

fn read_method(head: &Head, ident: &Ident, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let Some(method) = &head.method else {
        diagnostics
            .report(ident, "a route begins with its method and its path, such as `#[route(GET, \"/boards/{id}\", auth = user)]`");
        return None;
    };
    let found = METHODS.iter().find(|(name, _)| method.to_string() == *name);
    if found.is_none() {
        diagnostics.report(method, "the method of a route is `GET`, `POST`, `PUT`, `PATCH` or `DELETE`");
    }
    found.map(|(_, variant)| format_ident!("{variant}"))
}

fn read_path(head: &Head, ident: &Ident, diagnostics: &mut Diagnostics) -> Option<LitStr> {
    let Some(path) = &head.path else {
        if head.method.is_some() {
            diagnostics
                .report(ident, "a route has a path after its method, such as `#[route(GET, \"/boards/{id}\", auth = user)]`");
        }
        return None;
    };
    let Ok(path) = syn::parse2::<LitStr>(path.clone().into()) else {
        diagnostics.report(path, "the path of a route is a text, such as `\"/boards/{id}\"`");
        return None;
    };
    let text = path.value();
    let is_plain = |part: &str| {
        !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.' | '~'))
    };
    let is_part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_'),
        None => is_plain(part) && part != "." && part != "..",
    };
    let is_well_formed = text == "/" || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part));
    if !is_well_formed {
        diagnostics.report(
            &path,
            "the path of a route begins with `/` and does not end with it; its parts are plain text or one argument, such as `/boards/{id}/cards`",
        );
        return None;
    }
    Some(path)
}

/// Reports what stands in the path and is no argument, or stands there twice.
fn check_arguments(path: &LitStr, parameters: &Parameters, diagnostics: &mut Diagnostics) {
    let text = path.value();
    let mut seen = Vec::new();
    for name in text.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        if seen.contains(&name) {
            diagnostics.report(path, format!("the path has `{{{name}}}` twice"));
        } else if !parameters.arguments().any(|argument| argument.name == name) {
            diagnostics.report(path, format!("the path has `{{{name}}}`, and the function has no argument of this name"));
        }
        seen.push(name);
    }
}
