//! Answers to requests that a test has written down.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use crate::{
    call::BoxFuture,
    capability::{HttpAnswer, HttpPort, HttpRequest, HttpScope, WholeBody},
    error::{Error, Result},
    plugin::PluginDecl,
};

/// An answer that a test has written down.
#[derive(Clone, Debug)]
pub struct FakeAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    problem: Option<(String, String, bool)>,
}

impl FakeAnswer {
    /// An answer of a status, with nothing in it.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), problem: None }
    }

    /// An answer of JSON.
    ///
    /// # Panics
    ///
    /// If the value has no JSON form.
    #[track_caller]
    pub fn json(value: impl Serialize) -> Self {
        match serde_json::to_vec(&value) {
            Ok(json) => Self::bytes("application/json", json),
            Err(problem) => panic!("the answer has no JSON form: {problem}"),
        }
    }

    /// An answer of bytes.
    pub fn bytes(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { body: bytes.into(), ..Self::status(200) }.with_header("content-type", media_type)
    }

    /// No answer, but this error.
    pub fn error(error: &Error) -> Self {
        let problem = Some((error.code().to_owned(), error.message().to_owned(), error.is_retryable()));
        Self { problem, ..Self::status(0) }
    }

    /// The same answer, of another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same answer, with a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }
}

/// The other side of every request: it answers as a test has written down, and keeps what it was asked.
#[derive(Default)]
pub struct FakeHttp {
    answers: Mutex<Vec<(String, VecDeque<FakeAnswer>)>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl FakeHttp {
    /// Writes an answer down, for a method and a URL such as `GET https://api.example.org/v1`, with its query or for every query. Of
    /// several answers to one request, each is given once, and the last again and again.
    pub fn answer(&self, request: &str, answer: FakeAnswer) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.iter_mut().find(|(known, _)| known == request) {
            Some((_, queue)) => queue.push_back(answer),
            None => answers.push((request.to_owned(), VecDeque::from([answer]))),
        }
    }

    /// Returns what was asked, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn respond(&self, plugin: &'static PluginDecl, request: HttpRequest) -> Result<HttpAnswer> {
        let (host, port, usual_port) = target(&request.url)?;
        let scope = HttpScope::of(plugin);
        if !scope.allows(&host, port, usual_port) {
            return Err(scope.refusal(&host));
        }
        let whole = format!("{} {}", request.method, request.url);
        let without_query = whole.split(['?', '#']).next().unwrap_or(&whole).to_owned();
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let exact = answers.iter().position(|(known, _)| *known == whole);
        let found = exact.or_else(|| answers.iter().position(|(known, _)| *known == without_query));
        let queue = found.map(|at| &mut answers[at].1);
        let answer = queue.and_then(|queue| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() });
        let Some(answer) = answer else {
            return Err(Error::new(format!("the test has no answer to `{whole}`")).with_code("unanswered"));
        };
        if let Some((code, message, retryable)) = answer.problem {
            let error = Error::new(message).with_code(code);
            return Err(if retryable { error.retryable() } else { error });
        }
        Ok(HttpAnswer::new(answer.status, request.url, answer.headers, Box::new(WholeBody::new(answer.body))))
    }
}

/// Reads the host and the port from a URL. A test's URLs are plain; the tricks of others are the host's to see through.
fn target(url: &str) -> Result<(String, u16, u16)> {
    let bad = || Error::new(format!("`{url}` is not a URL, such as https://api.example.org/v1")).with_code("bad_request");
    let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
    let usual_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(bad()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
        _ => (authority, usual_port),
    };
    Ok((host.to_ascii_lowercase(), port, usual_port))
}

impl HttpPort for FakeHttp {
    fn send(&self, plugin: &'static PluginDecl, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer>> {
        Box::pin(std::future::ready(self.respond(plugin, request)))
    }
}

impl fmt::Debug for FakeHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeHttp").field(&self.requests()).finish()
    }
}
