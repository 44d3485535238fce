//! What is looked at of every request before anything else is: by which name the server was reached, from which page, by whom, how often.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, Method, Response, Uri, header},
};
use futures_util::FutureExt;
use nekro_core::kernel::{Buckets, Refused};
use tower_service::Service;

use super::{
    access::Identity,
    answer,
    line::Cut,
    patience::{Answering, Patience},
    problem::Problem,
    protection::protect,
    routes,
    server::Server,
};
use crate::{cli::plain, style::DIM};

/// Where a connection comes from.
#[derive(Debug)]
pub(super) struct Peer {
    /// None for a Unix socket.
    pub(super) address: Option<IpAddr>,
    /// Cuts the connection.
    pub(super) cut: Arc<Cut>,
    /// How long it waits for the next request.
    pub(super) patience: Patience,
}

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Those of whoever has this token.
    Named(Arc<str>),
    /// Those without one that come from here; none for a Unix socket.
    From(Option<IpAddr>),
    /// All that try to log in.
    LoggingIn,
}

/// Lets a request in or not, and finishes its answer.
pub(super) async fn door(server: &Arc<Server>, router: &Router, peer: &Peer, request: Request) -> Response<Body> {
    let started = Instant::now();
    let answering = peer.patience.answering();
    server.kept.metrics.begin();
    let line = server.has_console.then(|| (request.method().clone(), request.uri().clone()));
    let (response, who) = match server.admit(&request, peer.address) {
        Ok(identity) => {
            let who = line.as_ref().map(|_| Arc::clone(&identity.name));
            // Plugins' routes are not in the router: the kernel finds them.
            let response = if request.uri().path().starts_with("/p/") {
                let answered = routes::answer(server, peer, identity, request, (started, answering));
                caught(answered, || "a plugin's route".to_owned()).await
            } else {
                let path = request.uri().clone();
                caught(by_router(router, identity, request, answering), || path.path().to_owned()).await
            };
            (response, who)
        }
        Err(problem) => (answer::problem(&problem), None),
    };
    let (status, took) = (response.status().as_u16(), started.elapsed());
    server.kept.metrics.end(status, took);
    if let Some((method, uri)) = line {
        console(&method, uri.path(), status, took, who.as_deref().unwrap_or_default());
    }
    response
}

async fn by_router(router: &Router, identity: Identity, mut request: Request, answering: Answering) -> Response<Body> {
    request.extensions_mut().insert(identity);
    let mut answered = match router.clone().call(request).await {
        Ok(answered) => answered,
        Err(never) => match never {},
    };
    // Not everything here is an answer of ours: the MCP service makes its own.
    protect(answered.headers_mut());
    answering.until_the_end_of(answered)
}

/// Answers, also after a mistake of ours in one request, which ends neither the connection nor the server.
async fn caught(answering: impl Future<Output = Response<Body>>, asked_for: impl FnOnce() -> String) -> Response<Body> {
    AssertUnwindSafe(answering).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(asked_for = asked_for(), "answering a request panicked");
        answer::problem(&Problem::new(500, "panicked", "the request could not be answered"))
    })
}

impl Server {
    fn admit(&self, request: &Request, peer: Option<IpAddr>) -> Result<Identity, Problem> {
        let headers = request.headers();
        let host = host(headers, request.uri())?;
        check_host(host, &self.settings.hosts)?;
        check_page(request.method(), headers, host)?;
        let identity = self.identify(headers, peer)?;
        // Those without a name are told apart by where they come from.
        let whose = if identity.is_guest() { Who::From(peer) } else { Who::Named(Arc::clone(&identity.name)) };
        count(&self.kept.rates, whose, self.settings.rate_callers, "`serve.rate`")?;
        Ok(identity)
    }

    fn identify(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Identity, Problem> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
        if let Some(authorization) = text(header::AUTHORIZATION) {
            let scheme_and_token = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let found = scheme_and_token.and_then(|(_, token)| self.tokens.find(token.trim()));
            return found.ok_or_else(|| self.refuse(Who::From(peer)));
        }
        if let Some(identity) = text(header::COOKIE).and_then(|cookies| self.kept.logins.find(cookies)) {
            return Ok(identity);
        }
        Ok(if self.settings.auth { Identity::guest() } else { Identity::operator() })
    }

    /// Counts a wrong token, and says that it is wrong.
    pub(super) fn refuse(&self, whose: Who) -> Problem {
        match count(&self.kept.refused, whose, self.settings.rate_callers, "20 wrong tokens in a minute") {
            Ok(()) => Problem::new(401, "unauthorized", "the token is not one that this server knows"),
            Err(problem) => problem,
        }
    }
}

/// Prints a line for a request, for a person who looks on.
fn console(method: &Method, path: &str, status: u16, took: Duration, who: &str) {
    let took = took.as_secs_f64() * 1_000.0;
    let (path, who) = (plain(path), plain(who));
    // Whoever reads may have gone away.
    let _ = std::io::Write::write_fmt(
        &mut anstream::stdout(),
        format_args!("{status} {method} {path} {DIM}{took:.1} ms {who}{DIM:#}\n"),
    );
}

fn count(buckets: &Buckets<Who>, whose: Who, most: usize, limit: &str) -> Result<(), Problem> {
    let Err(refused) = buckets.take(whose, most) else { return Ok(()) };
    let problem = Problem::new(429, "rate_limited", "you have asked too often: try again later").retryable();
    let problem = problem.with_hint(format!("the limit is {limit}"));
    Err(match refused {
        Refused::Empty(wait) => Problem { retry_after: Some(wait), ..problem },
        Refused::Crowded => problem.with_hint("the limit is `serve.rate_callers`"),
    })
}

/// Returns by which name the server was reached, with the port.
fn host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Result<&'r str, Problem> {
    // A request for a proxy has it in its first line, and that counts.
    let of_line = uri.authority().map(|authority| authority.as_str());
    let mut of_headers = headers.get_all(header::HOST).iter();
    let of_header = of_headers.next().and_then(|host| host.to_str().ok());
    if of_headers.next().is_some() {
        return Err(Problem::bad_request("there is more than one `Host`"));
    }
    of_line.or(of_header).ok_or_else(|| Problem::bad_request("there is no `Host`"))
}

/// Refuses names that a stranger's page could have given to this machine's address (DNS rebinding). An address is no such name.
fn check_host(host: &str, known: &[String]) -> Result<(), Problem> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|one| one.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_known = |one: &String| one.eq_ignore_ascii_case(name) || one.eq_ignore_ascii_case(host);
    if name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() || known.iter().any(is_known) {
        return Ok(());
    }
    let problem = Problem::new(421, "unknown_host", format!("this server is not called `{}`", plain(name)));
    Err(problem.with_hint("`serve.hosts` lists its names"))
}

/// Refuses what a page of somebody else's wants to change. A program sends neither of these headers. A WebSocket is asked for by `GET`,
/// and a browser lets every page read what comes by it.
fn check_page(method: &Method, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site != "same-origin" && site != "none" => false,
        (_, Some(origin)) => origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host)),
        _ => true,
    };
    if is_ours { Ok(()) } else { Err(Problem::new(403, "forbidden", "the request comes from a page of another server")) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_name_that_a_stranger_chose_is_refused() {
        let known = ["agent.example.org".to_owned()];
        for good in ["localhost", "LOCALHOST:8642", "127.0.0.1:1", "[::1]:8642", "[::1]", "192.168.1.2", "agent.example.org:443"]
        {
            assert!(check_host(good, &known).is_ok(), "{good}");
        }
        for bad in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "agent.example.org.evil.example", "[::1"]
        {
            assert!(check_host(bad, &known).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_of_somebody_elses_changes_nothing() {
        let check = |method: Method, page: &[(&'static str, &'static str)]| {
            let headers = page.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            check_page(&method, &headers.collect(), "localhost:8642").is_ok()
        };
        assert!(
            check(Method::GET, &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]),
            "it cannot read the answer"
        );
        assert!(check(Method::GET, &[("upgrade", "websocket")]), "a program");
        assert!(check(Method::GET, &[("upgrade", "websocket"), ("origin", "http://localhost:8642")]));
        assert!(!check(Method::GET, &[("upgrade", "websocket"), ("origin", "https://evil.example")]));
        assert!(check(Method::POST, &[]), "a program");
        assert!(check(Method::POST, &[("origin", "http://localhost:8642"), ("sec-fetch-site", "same-origin")]));
        for page in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://localhost:8643")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://localhost:8642")],
        ] {
            assert!(!check(Method::POST, page), "{page:?}");
            assert!(!check(Method::DELETE, page), "{page:?}");
        }
    }
}
