//! Plugins' routes: found by the kernel, which knows who is running.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, Method, Response, StatusCode, header, request::Parts},
};
use nekro_core::kernel::{FoundRoute, Given, RouteEntry};
use serde_json::Map;
use url::form_urlencoded;

use super::{access::Identity, answer, door::Peer, patience::Answering, problem::Problem, request, routers, server::Server};

/// Answers a request for something below `/p/`, which came at `started`. What streams keeps `answering` until it ends.
pub(super) async fn answer(
    server: &Arc<Server>,
    peer: &Peer,
    identity: Identity,
    request: Request,
    (started, answering): (Instant, Answering),
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let answered = async {
        let (plugin, path) = below(parts.uri.path())?;
        let (entry, given) = find(server, plugin, &parts.method, &path)?;
        let method = parts.method.clone();
        let answered = match server.allow(&identity, entry.decl.role) {
            Ok(()) if entry.is_router() => {
                routers::answer(server, peer, entry, identity.caller(), Request::from_parts(parts, body)).await
            }
            Ok(()) => ask(server, entry, given, &identity, &parts, body).await,
            Err(problem) => Err(problem),
        };
        let answered = answered.unwrap_or_else(|problem| answer::problem(&problem));
        record(entry, &method, answered.status(), started, &identity.name);
        let is_whole = !entry.is_router() && answered.body().size_hint().exact().is_some();
        Ok(if is_whole { answered } else { answering.until_the_end_of(answered) })
    };
    answered.await.unwrap_or_else(|problem: Problem| answer::problem(&problem))
}

/// Returns the plugin that a path names, and the parts of what follows, decoded.
fn below(path: &str) -> Result<(&str, Vec<Cow<'_, str>>), Problem> {
    let path = path.strip_prefix("/p/").ok_or_else(nothing)?;
    let (plugin, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let parts = request::parts(rest).ok_or_else(|| Problem::bad_request("the path is no text"))?;
    Ok((plugin, parts))
}

fn nothing() -> Problem {
    Problem::new(404, "unknown_route", "there is nothing at this path")
}

/// What the path of a request gives, by name.
type FromPath<'p> = Vec<(&'static str, &'p str)>;

fn find<'s, 'p>(
    server: &'s Server,
    plugin: &str,
    method: &Method,
    parts: &'p [Cow<'_, str>],
) -> Result<(&'s RouteEntry, FromPath<'p>), Problem> {
    match server.kernel.find_route(plugin, method.as_str(), parts) {
        FoundRoute::Route(entry, given) => Ok((entry, given)),
        FoundRoute::OtherMethods(methods) => {
            let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
            let problem = Problem::new(405, "method_not_allowed", "what is at this path is asked for by another method");
            Err(Problem { allow: Some(names.join(", ").into()), ..problem })
        }
        _ => Err(nothing()),
    }
}

async fn ask(
    server: &Server,
    entry: &RouteEntry,
    given: FromPath<'_>,
    identity: &Identity,
    parts: &Parts,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let headers = &parts.headers;
    let body = server.body(body).await?;
    let (mut form, mut object) = (&[][..], Map::new());
    if body.is_empty() {
        // Nothing is given by it.
    } else if request::media_type(headers) == "application/x-www-form-urlencoded" {
        // What a page's form sends.
        form = &body;
    } else {
        object = request::json(headers, &body)?;
    }
    let query = parts.uri.query().unwrap_or_default();
    let words = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(form));
    let answered = server.kernel.route(entry, Given::new(given, words, object), &identity.caller()).await?;
    let answered = answer::answer(answered, || request::header(headers, answer::LAST_EVENT), &server.kept.streams);
    Ok(unless_known(headers, answered))
}

/// Leaves out what a browser has already, by the mark that it was told before.
fn unless_known(asked: &HeaderMap, answered: Response<Body>) -> Response<Body> {
    let Some(mark) = answered.headers().get(header::ETAG).and_then(|mark| mark.to_str().ok()) else { return answered };
    let known = request::header(asked, header::IF_NONE_MATCH.as_str()).unwrap_or_default();
    let is_known = known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one == mark);
    if !is_known || answered.status() != StatusCode::OK {
        return answered;
    }
    let (mut parts, _) = answered.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    Response::from_parts(parts, Body::empty())
}

/// Writes a line of the log: who asked a plugin for what. Neither the path nor the query, for they may hold secrets; by the route it is known
/// what was asked. Looking at something is worth less room than changing it.
fn record(entry: &RouteEntry, method: &Method, status: StatusCode, started: Instant, who: &str) {
    let (plugin, route, status) = (entry.decl.plugin.id, entry.decl.name, status.as_u16());
    let is_look = matches!(*method, Method::GET | Method::HEAD) && (200..400).contains(&status);
    if is_look {
        tracing::debug!(target: "nekro::routes", plugin, route, %method, status, milliseconds = since(started), who, "a route was asked for");
    } else {
        tracing::info!(target: "nekro::routes", plugin, route, %method, status, milliseconds = since(started), who, "a route was asked for");
    }
}

fn since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
