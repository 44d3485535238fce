//! Plugins' routes: found by the kernel, which knows who is running.

use axum::{body::Body, http::Response};
use nekro_core::{
    kernel::{FoundRoute, Given},
    web,
};
use serde_json::Map;

use super::{answer, problem::Problem, request, server::Server};

/// Answers a request for something below `/p/`.
pub(super) async fn answer(server: &Server, request: axum::extract::Request) -> Response<Body> {
    match asked(server, request).await {
        Ok((answered, last)) => answer::answer(answered, last.as_deref(), &server.kept.streams),
        Err(problem) => answer::problem(&problem),
    }
}

async fn asked(server: &Server, request: axum::extract::Request) -> Result<(web::Answer, Option<String>), Problem> {
    let nothing = || Problem::not_found("there is nothing at this path");
    let path = request.uri().path().strip_prefix("/p/").ok_or_else(nothing)?;
    let (plugin, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let parts = request::parts(rest).ok_or_else(|| Problem::bad_request("the path is no text"))?;
    let (entry, given) = match server.kernel.find_route(plugin, request.method().as_str(), &parts) {
        FoundRoute::Route(entry, given) => (entry, given),
        FoundRoute::OtherMethods(methods) => {
            let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
            let problem = Problem::new(405, "method_not_allowed", "what is at this path is asked for by another method");
            return Err(Problem { allow: Some(names.join(", ").into()), ..problem });
        }
        _ => return Err(nothing()),
    };
    let request = server.receive(request, Vec::new(), entry.decl.role).await?;
    let mut words = request.pairs();
    let body = match request.media_type().as_str() {
        _ if request.body.is_empty() => Map::new(),
        // What a page's form sends.
        "application/x-www-form-urlencoded" => {
            words.extend(url::form_urlencoded::parse(&request.body).into_owned());
            Map::new()
        }
        _ => request.json()?,
    };
    let answered = server.kernel.route(entry, Given::new(given, words, body), &request.caller()).await?;
    Ok((answered, request.header("last-event-id").map(str::to_owned)))
}
