//! Routes: which one is meant by a request, and calling it.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    Kernel, Running,
    describe::{body_schema, object_schema},
    guard::{guarded, limited},
    restriction::{Restriction, Slot},
};
use crate::{
    argument::{Form, Kind, from_pairs, from_plain_pairs},
    call::{Body, Call, Input},
    caller::Caller,
    error::{Error, Result},
    route::{Method, RouteDecl},
    web::Answer,
};

/// A linked route.
#[derive(Debug)]
pub struct RouteEntry {
    /// What it says of itself.
    pub decl: &'static RouteDecl,
    pub(crate) plugin: usize,
    // Its place in the list.
    pub(crate) number: usize,
    segments: Vec<Segment>,
    arguments: OnceLock<Value>,
    output: OnceLock<Option<Value>>,
    kinds: OnceLock<Box<[Kind]>>,
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    /// These characters. Comes first, so that it is preferred.
    Literal(&'static str),
    /// Anything, which is the argument of this name.
    Argument(&'static str),
}

/// Which route a request means.
#[derive(Debug)]
#[non_exhaustive]
pub enum FoundRoute<'k, 'p> {
    /// This one, with what the path says of its arguments.
    Route(&'k RouteEntry, Vec<(&'static str, &'p str)>),
    /// There is something at this path, by these methods only.
    OtherMethods(Vec<Method>),
    /// None.
    Nothing,
}

/// Keeps a plugin as it was when a router of it was asked, until the router has answered.
#[derive(Debug)]
pub struct Held {
    /// How long the router may take.
    pub limit: Duration,
    _plugin: Arc<Running>,
    _slot: Slot,
}

/// What a request gives.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Given<'r> {
    /// What stands in the path and in the query, as text.
    pub words: Vec<(Cow<'r, str>, Cow<'r, str>)>,
    /// What stands in the body.
    pub body: Map<String, Value>,
}

impl<'r> Given<'r> {
    /// Puts together what a request gives: from the path, from the query, and from the body.
    pub fn new(
        path: Vec<(&'static str, &'r str)>,
        query: impl IntoIterator<Item = (Cow<'r, str>, Cow<'r, str>)>,
        body: Map<String, Value>,
    ) -> Self {
        let path = path.into_iter().map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        Self { words: path.chain(query).collect(), body }
    }
}

/// Splits a path into its parts: `/` has none.
fn split(path: &'static str) -> Vec<Segment> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => Segment::Argument(name),
            None => Segment::Literal(part),
        })
        .collect()
}

impl RouteEntry {
    pub(crate) fn new(decl: &'static RouteDecl, plugin: usize) -> Self {
        let segments = split(decl.path);
        Self { decl, plugin, number: 0, segments, arguments: OnceLock::new(), output: OnceLock::new(), kinds: OnceLock::new() }
    }

    /// Returns the whole path, such as `/p/board/boards/{id}`.
    pub fn path(&self) -> String {
        format!("/p/{}{}", self.decl.plugin.id, self.decl.path.trim_end_matches('/'))
    }

    /// Returns the names of the arguments that stand in the path.
    pub fn path_arguments(&self) -> impl Iterator<Item = &'static str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Argument(name) => Some(*name),
            Segment::Literal(_) => None,
        })
    }

    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }

    /// Describes the answer; `None` for one that is not JSON.
    pub fn output(&self) -> Option<&Value> {
        self.output.get_or_init(|| body_schema((self.decl.output)().schema)).as_ref()
    }

    /// Puts what was given together as a JSON object.
    fn read_given(&self, given: Given<'_>) -> Result<Cow<'static, str>> {
        if given.words.is_empty() && given.body.is_empty() {
            return Ok(Cow::Borrowed("{}"));
        }
        let schema = self.arguments();
        // What each argument is written as is read off its schema once.
        let kinds =
            self.kinds.get_or_init(|| super::call::forms(schema, self.decl.arguments).iter().map(|form| form.kind).collect());
        let arguments = self.decl.arguments.iter().zip(kinds);
        if given.body.is_empty()
            && let Some(plain) = from_plain_pairs(arguments.clone().map(|(argument, kind)| (argument.name, *kind)), &given.words)
        {
            return Ok(Cow::Owned(plain));
        }
        let (properties, definitions) = (schema.get("properties"), schema.get("$defs"));
        let forms = arguments.map(|(argument, kind)| {
            let schema = properties.and_then(|properties| properties.get(argument.name)).unwrap_or(&Value::Null);
            Form { name: argument.name, schema, definitions, kind: *kind }
        });
        let forms: Vec<_> = forms.collect();
        Ok(Cow::Owned(from_pairs(&forms, &given.words, given.body)?))
    }

    /// Returns what no other route of the plugin may have: the method, and the path without the names of its arguments.
    pub(crate) fn claim(&self) -> String {
        let parts: String = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::Argument(_) => "/{}".to_owned(),
            })
            .collect();
        format!("{} /p/{}{parts}", self.decl.method, self.decl.plugin.id)
    }

    /// Returns by what routes are sorted: of two that fit a path, the one with text where the other has an argument comes first.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        (self.plugin, self.segments.clone(), self.decl.method, self.decl.location)
    }

    /// Tells whether it is a router, which has everything below its path too.
    pub fn is_router(&self) -> bool {
        self.decl.method == Method::Any
    }

    /// Returns how many parts its whole path has: `/p/chat/room` has three.
    pub fn depth(&self) -> usize {
        2 + self.segments.len()
    }

    /// Tells whether it fits a path. A router fits all that begins as it does.
    fn fits<S: AsRef<str>>(&self, path: &[S]) -> bool {
        let is_long_enough = if self.is_router() { path.len() >= self.segments.len() } else { path.len() == self.segments.len() };
        let fits = |(segment, part): (&Segment, &S)| match segment {
            Segment::Literal(text) => part.as_ref() == *text,
            Segment::Argument(_) => true,
        };
        is_long_enough && self.segments.iter().zip(path).all(fits)
    }

    /// Returns what a path that fits says of the arguments.
    fn read<'p, S: AsRef<str>>(&self, path: &'p [S]) -> Vec<(&'static str, &'p str)> {
        let arguments = self.segments.iter().zip(path).filter_map(|(segment, part)| match segment {
            Segment::Literal(_) => None,
            Segment::Argument(name) => Some((*name, part.as_ref())),
        });
        arguments.collect()
    }
}

impl Kernel {
    /// Finds the route of a plugin for a request: `path` is what follows `/p/<plugin>/`, in its parts and decoded. A plugin that does
    /// not run has none. `HEAD` is answered as `GET` is.
    ///
    /// Of what fits, text in the path is preferred to an argument, and both to a router; of routers, the one with the longest path.
    pub fn find_route<'p, S: AsRef<str>>(&self, plugin: &str, method: &str, path: &'p [S]) -> FoundRoute<'_, 'p> {
        let Some(at) = self.registry().plugin_index(plugin) else { return FoundRoute::Nothing };
        let live = self.0.live.load();
        if live.halted || live.plugin(live.channel(None), at).is_none() {
            return FoundRoute::Nothing;
        }
        let method = if method == "HEAD" { "GET" } else { method };
        let (mut others, mut router) = (Vec::new(), None::<&RouteEntry>);
        for entry in self.registry().routes_of(at).iter().filter(|entry| entry.fits(path)) {
            if entry.is_router() {
                router =
                    Some(entry).filter(|entry| router.is_none_or(|known| known.segments.len() < entry.segments.len())).or(router);
            } else if entry.decl.method.name() == method {
                return FoundRoute::Route(entry, entry.read(path));
            } else {
                others.push(entry.decl.method);
            }
        }
        if let Some(router) = router {
            return FoundRoute::Route(router, Vec::new());
        }
        if others.is_empty() { FoundRoute::Nothing } else { FoundRoute::OtherMethods(others) }
    }

    /// Calls a route. Whether the caller is known well enough has been decided before, by its `role`.
    ///
    /// # Errors
    ///
    /// `unknown_route`, `invalid_arguments`, `rate_limited`, `busy`, `deadline`, `panicked`, or what the function returned.
    pub async fn route(&self, entry: &RouteEntry, given: Given<'_>, caller: &Caller) -> Result<Answer> {
        let restriction = self.route_restriction(entry);
        let (_held, answer) = self.call_route(entry, restriction, given, caller).await?;
        Ok(answer)
    }

    /// Asks a router for what answers a request, which is held until it has done so.
    ///
    /// # Errors
    ///
    /// As [`Kernel::route`].
    pub async fn router(&self, entry: &RouteEntry, caller: &Caller) -> Result<(Held, Answer)> {
        self.call_route(entry, self.route_restriction(entry), Given::default(), caller).await
    }

    /// Tells whether a route is there for a caller: its plugin runs, and neither its own role nor the policy is above the caller.
    pub fn sees_route(&self, entry: &RouteEntry, caller: &Caller) -> bool {
        let live = self.0.live.load();
        !live.halted
            && live.plugin(live.channel(None), entry.plugin).is_some()
            && entry.decl.role.is_none_or(|role| caller.role >= role)
            && self.route_restriction(entry).is_none_or(|restriction| restriction.admits(caller))
    }

    async fn call_route(
        &self,
        entry: &RouteEntry,
        restriction: Option<&Restriction>,
        given: Given<'_>,
        caller: &Caller,
    ) -> Result<(Held, Answer)> {
        let unknown = || Error::new("there is nothing at this path").with_code("unknown_route");
        if restriction.is_some_and(|restriction| !restriction.admits(caller)) {
            return Err(unknown());
        }
        let plugin = self.running(entry.plugin, None).ok_or_else(unknown)?;
        let arguments = entry.read_given(given)?;
        if restriction.is_some() {
            self.count_call(restriction, &format!("{} {}", entry.decl.method, entry.path()), caller)?;
        }
        let slot = Self::take_slot(restriction)?;
        let limit = entry.decl.deadline.unwrap_or(self.limits().call_deadline);
        let limit = restriction.map_or(limit, |restriction| Restriction::shorten(restriction, limit));
        let call = Call { kernel: self, plugin: &plugin, caller, limit, input: Input::Arguments(&arguments) };
        let result = match entry.decl.body {
            Body::Sync(body) => guarded(|| body(&call)),
            Body::Async(body) => limited(body(&call), limit).await,
        };
        let answer = result.map_err(|failure| Self::explain(restriction, failure, entry.decl.name))?;
        Ok((Held { limit, _plugin: plugin, _slot: slot }, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_preferred_to_an_argument() {
        let mut paths = [split("/boards/{id}"), split("/boards/new"), split("/"), split("/{any}/new")];
        paths.sort();
        assert_eq!(paths, [split("/"), split("/boards/new"), split("/boards/{id}"), split("/{any}/new")]);
    }
}
