//! Plugins' routers: a request goes to them whole, with the limits that every request has, and a connection that they take over is cut
//! when their plugin stops or the server ends.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::DefaultBodyLimit,
    http::{Response, StatusCode, Uri, header, uri::PathAndQuery},
};
use futures_util::FutureExt;
use http_body_util::Limited;
use nekro_axum::Routes;
use nekro_core::{Caller, kernel::RouteEntry};
use tower_service::Service;

use super::{door::Peer, line::Cut, problem::Problem, protection::protect, server::Server};

/// Lets a router answer.
pub(super) async fn answer(
    server: &Arc<Server>,
    peer: &Peer,
    entry: &RouteEntry,
    caller: Caller,
    request: axum::extract::Request,
) -> Result<Response<Body>, Problem> {
    let most = server.settings.body_bytes;
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > u64::try_from(most).unwrap_or(u64::MAX)) {
        return Err(server.too_long());
    }
    let (held, answer) = server.kernel.router(entry, &caller).await?;
    let mut router = Routes::of(answer).ok_or_else(|| {
        Problem::new(500, "unserialisable", "the router is of another version of axum than this server")
            .with_hint("`cargo tree --duplicates` shows who asks for which")
    })?;
    let (mut parts, body) = request.into_parts();
    parts.uri = below(&parts.uri, entry.depth())?;
    parts.extensions.insert(caller);
    let mut request = axum::extract::Request::from_parts(parts, Body::new(Limited::new(body, most)));
    // There is one limit, with one name, whatever reads the body; a router may set a lower one.
    DefaultBodyLimit::disable().apply(&mut request);
    let answering = AssertUnwindSafe(router.call(request)).catch_unwind();
    let (plugin, name) = (entry.decl.plugin.id, entry.decl.name);
    let mut answered = match tokio::time::timeout(held.limit, answering).await {
        Ok(Ok(Ok(answered))) => answered,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            tracing::error!(plugin, route = name, "a router panicked");
            return Err(Problem::new(500, "panicked", format!("`{name}` panicked")));
        }
        Err(_) => {
            let problem = Problem::new(504, "deadline", format!("`{name}` took longer than its deadline of {:?}", held.limit));
            return Err(problem.retryable().with_hint("the limit is the function's own `deadline`, or `limits.call_deadline`"));
        }
    };
    protect(answered.headers_mut());
    if answered.status() == StatusCode::SWITCHING_PROTOCOLS {
        peer.cut.watch();
        drop(tokio::spawn(watch(Arc::clone(server), plugin, Arc::clone(&peer.cut))));
    }
    Ok(answered)
}

/// Cuts a connection that a plugin has taken over when that stops, or the server ends.
async fn watch(server: Arc<Server>, plugin: &'static str, cut: Arc<Cut>) {
    let mut stopped = server.feed.stopped.subscribe();
    let mut ending = server.kept.streams.ending.clone();
    // Not before somebody listens: it may have stopped meanwhile.
    while server.kernel.is_running(plugin) {
        tokio::select! {
            () = cut.gone() => return,
            _ = ending.wait_for(|ending| *ending) => break,
            _ = stopped.changed() => {}
        }
    }
    cut.cut();
}

/// Takes so many parts off the beginning of a path.
fn below(uri: &Uri, depth: usize) -> Result<Uri, Problem> {
    let path = uri.path();
    let rest = path.match_indices('/').nth(depth).map_or("/", |(at, _)| &path[at..]);
    let below = uri.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"));
    let below: PathAndQuery = below.parse().map_err(|_| Problem::bad_request("the path cannot be read"))?;
    Ok(below.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_sees_what_is_below_it() {
        for (uri, depth, expected) in [
            ("/p/chat", 2, "/"),
            ("/p/chat/", 2, "/"),
            ("/p/chat/room?x=1", 3, "/?x=1"),
            ("/p/chat/room/a%2Fb//c?x=1", 3, "/a%2Fb//c?x=1"),
            ("http://localhost/p/chat/room/a", 2, "/room/a"),
        ] {
            assert_eq!(below(&uri.parse().expect("a URI"), depth).expect("a path").to_string(), expected, "{uri}");
        }
    }
}
