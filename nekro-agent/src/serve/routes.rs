//! Plugins' routes: found by the kernel, which knows who is running.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    body::Body,
    http::{Method, Response, StatusCode, header},
};
use nekro_core::kernel::{FoundRoute, Given, RouteEntry};
use serde_json::Map;

use super::{
    access::Identity,
    answer,
    door::{Asked, Peer},
    problem::Problem,
    request::{self, Request},
    routers,
    server::Server,
};

/// Answers a request for something below `/p/`.
pub(super) async fn answer(
    server: &Arc<Server>,
    asked: &Asked<'_>,
    identity: Identity,
    request: axum::extract::Request,
) -> Response<Body> {
    let answering = async {
        let (plugin, parts) = below(asked.uri.path())?;
        let (entry, given) = find(server, plugin, asked.method, &parts)?;
        let who = Arc::clone(&identity.name);
        let answered = ask(server, asked.peer, entry, given, identity, request).await;
        let answered = answered.unwrap_or_else(|problem| answer::problem(&problem));
        record(entry, asked, answered.status(), &who);
        Ok(answered)
    };
    answering.await.unwrap_or_else(|problem: Problem| answer::problem(&problem))
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
    server: &Arc<Server>,
    peer: &Peer,
    entry: &RouteEntry,
    given: FromPath<'_>,
    identity: Identity,
    request: axum::extract::Request,
) -> Result<Response<Body>, Problem> {
    server.allow(&identity, entry.decl.role)?;
    if entry.is_router() {
        return routers::answer(server, peer, entry, identity.caller(), request).await;
    }
    let request = server.read(request, Vec::new(), identity).await?;
    let (mut form, mut body) = (&[][..], Map::new());
    if request.body.is_empty() {
        // Nothing is given by it.
    } else if request.media_type() == "application/x-www-form-urlencoded" {
        // What a page's form sends.
        form = &request.body;
    } else {
        body = request.json()?;
    }
    let words = request.pairs().chain(url::form_urlencoded::parse(form));
    let answered = server.kernel.route(entry, Given::new(given, words, body), &request.caller()).await?;
    let answered = answer::answer(answered, || request.header(answer::LAST_EVENT), &server.kept.streams);
    Ok(unless_known(&request, answered))
}

/// Leaves out what a browser has already, by the mark that it was told before.
fn unless_known(request: &Request, answered: Response<Body>) -> Response<Body> {
    let Some(mark) = answered.headers().get(header::ETAG).and_then(|mark| mark.to_str().ok()) else { return answered };
    let known = request.header(header::IF_NONE_MATCH.as_str()).unwrap_or_default();
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
fn record(entry: &RouteEntry, asked: &Asked<'_>, status: StatusCode, who: &str) {
    let (method, started) = (asked.method, asked.started);
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
