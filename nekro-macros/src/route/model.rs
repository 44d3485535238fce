//! What a `#[route]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::{ExprPath, LitStr};

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
    /// The event after which the resource may be another.
    pub(crate) changed_by: Option<ExprPath>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) place: Place,
    pub(crate) parameters: Parameters,
}

/// Where people find it.
pub(crate) struct Place {
    pub(crate) nav: Option<String>,
    pub(crate) card: Option<String>,
    pub(crate) icon: Option<String>,
}

const METHODS: [(&str, &str); 6] =
    [("GET", "Get"), ("POST", "Post"), ("PUT", "Put"), ("PATCH", "Patch"), ("DELETE", "Delete"), ("ANY", "Any")];

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
        let changed_by = keys.path("changed_by", "BoardChanged", diagnostics);
        if let (Some(event), None) = (&changed_by, &resource) {
            diagnostics.report(event, "`changed_by` is for a resource, to which programs subscribe: add `resource`");
        }
        let deadline = keys.duration("deadline", diagnostics);
        let place = Place::read(head, &mut keys, diagnostics);
        keys.finish(diagnostics);
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a route needs a doc comment: the description of the HTTP interface shows it");
        }
        let parameters = Parameters::read(&function.signature.inputs, "route", diagnostics);
        if let Some(path) = &path {
            check_arguments(path, &parameters, diagnostics);
        }
        if method.as_ref().is_some_and(|method| method == "Any")
            && let Some(argument) = parameters.arguments().next()
        {
            diagnostics.report(
                ident,
                format!("a router reads the request itself: leave out the argument `{}`, or name the method", argument.name),
            );
        }
        let name = syn::ext::IdentExt::unraw(ident).to_string();
        let role = role.flatten().map(|role| format_ident!("{role}"));
        Some(Self {
            name,
            method: method?,
            path: path?.value(),
            docs,
            role,
            resource: resource.is_some(),
            changed_by,
            deadline,
            place,
            parameters,
        })
    }
}

/// The most characters that a navigation or a dashboard has room for.
const MOST_OF_A_TITLE: usize = 40;

/// The most characters of a sign: some emoji are made of several.
const MOST_OF_A_SIGN: usize = 8;

impl Place {
    fn read(head: &Head, keys: &mut Keys, diagnostics: &mut Diagnostics) -> Self {
        let mut title = |key: &'static str, example, most, diagnostics: &mut Diagnostics| {
            let text = keys.text(key, example, diagnostics)?;
            let value = text.value();
            if value.trim().is_empty() || value.chars().count() > most || value.chars().any(char::is_control) {
                diagnostics.report(&text, format!("`{key}` has 1 to {most} characters, such as `{key} = {example:?}`"));
                return None;
            }
            if head.method.as_ref().is_some_and(|method| method.to_string() != "GET") {
                diagnostics.report(&text, format!("`{key}` is for a route that is looked at: its method is `GET`"));
            }
            if head.path.as_ref().is_some_and(|path| path.to_string().contains('{')) {
                diagnostics.report(&text, format!("`{key}` is for a path without arguments: people come there by one link"));
            }
            Some((text, value))
        };
        let nav = title("nav", "Boards", MOST_OF_A_TITLE, diagnostics);
        let card = title("card", "Open cards", MOST_OF_A_TITLE, diagnostics);
        let icon = title("icon", "📋", MOST_OF_A_SIGN, diagnostics);
        if let (None, None, Some((icon, _))) = (&nav, &card, &icon) {
            diagnostics.report(icon, "`icon` stands beside a title: add `nav` or `card`");
        }
        let value = |text: Option<(LitStr, String)>| text.map(|(_, value)| value);
        Self { nav: value(nav), card: value(card), icon: value(icon) }
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
        diagnostics.report(
            method,
            "the method of a route is `GET`, `POST`, `PUT`, `PATCH` or `DELETE`, or `ANY` for a function that returns a router",
        );
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
