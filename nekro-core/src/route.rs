//! What `#[route]` says of a function: something that is asked for over HTTP.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    argument::ArgumentDecl,
    call::Body,
    caller::Role,
    error::Error,
    event::{EventDecl, Fact},
    lend::LentDecl,
    location::Location,
    plugin::PluginDecl,
    web::{Answer, Shape},
};

/// The declaration of a route.
#[derive(Debug)]
pub struct RouteDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The function's name.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path within the plugin, such as `/boards/{id}`.
    pub path: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// The least that a caller must be; `None` for everybody, known or not.
    pub role: Option<Role>,
    /// Whether what it answers is also a resource, for programs that read such: MCP clients.
    pub resource: bool,
    /// The event after which the answer may be another: whoever has subscribed to the resource is told.
    pub changed_by: Option<&'static EventDecl>,
    /// How long it may take; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// What the caller gives: by the path, by the query, or in the body.
    pub arguments: &'static [ArgumentDecl],
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// What it answers.
    pub output: fn() -> RouteOutput,
    /// The function.
    pub body: Body<Result<Answer, Error>>,
    /// Where people find it; nothing for one that only programs ask for.
    pub place: PlaceDecl,
    /// Where it stands.
    pub location: Location,
}

/// Where people find a route that is a page: in the navigation, or as a card of the dashboard.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlaceDecl {
    /// What the navigation calls it.
    pub nav: Option<&'static str>,
    /// What stands above its card.
    pub card: Option<&'static str>,
    /// A sign to know it by, such as an emoji.
    pub icon: Option<&'static str>,
}

/// What a route answers, without its type.
#[derive(Clone, Copy, Debug)]
pub struct RouteOutput {
    /// The status and the media type.
    pub shape: Shape,
    /// Describes the body; `None` for one that is not JSON.
    pub schema: fn(&mut SchemaGenerator) -> Option<Schema>,
}

/// The methods that a route can have. `HEAD` is answered by the route for `GET`.
///
/// `ANY` is for a function that returns a router: it has all methods, and everything below its path too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "each is called as the protocol calls it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Any,
}

impl Method {
    /// Returns its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Any => "ANY",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names the event after which what a resource says may be another; called by the expansion of `#[route]`.
pub const fn changing_fact<E: Fact>() -> &'static EventDecl {
    E::DECL
}

inventory::collect!(&'static RouteDecl);
