//! A request, and how it is put together.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Http, HttpAnswer, HttpResponse, HttpStream, Multipart, body};
use crate::error::{Error, Result};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Lets the other side do something.
    Post,
    /// Writes, so that doing it twice is as doing it once.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
    /// Asks what may be done.
    Options,
}

impl HttpMethod {
    /// Returns the word that is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Tells whether doing it twice is as doing it once, as RFC 9110 says in section 9.2.2. Such a request may be tried again.
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request, as a port is given it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// What is asked for.
    pub method: HttpMethod,
    /// Of what, with the query.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// What is sent along; empty for none.
    pub body: Vec<u8>,
    /// How long it may take, if that is less than the host allows.
    pub deadline: Option<Duration>,
    /// How many bytes the answer may have, if that is less than the host allows.
    pub most_bytes: Option<u64>,
    /// Whether the answer is read piece by piece: then the deadline is for each piece.
    pub streamed: bool,
}

impl HttpRequest {
    /// Makes a request without headers and body.
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method, url: url.into(), headers, body, deadline: None, most_bytes: None, streamed: false }
    }

    /// Returns the first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl fmt::Debug for HttpRequest {
    // Without the values of headers: one of them may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// Returns the first header of this name, whatever its case.
pub(super) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A request that is being put together. What is wrong with it, [`RequestBuilder::send`] says.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<'a> {
    http: &'a Http,
    request: HttpRequest,
    problem: Option<Error>,
}

impl<'a> RequestBuilder<'a> {
    pub(super) fn new(http: &'a Http, request: HttpRequest) -> Self {
        Self { http, request, problem: None }
    }

    /// Adds a pair to the query, after those of the URL. What needs it is escaped.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        body::push_query(&mut self.request.url, name, &value.to_string());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.headers.push((name.into(), value.into()));
        self
    }

    /// Adds the header that gives a token: `authorization: Bearer …`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.body("application/json", json),
            Err(problem) => {
                self.problem.get_or_insert_with(|| problem.into());
                self
            }
        }
    }

    /// Sends pairs as a form does.
    pub fn form<N: AsRef<str>, V: fmt::Display>(self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        self.body("application/x-www-form-urlencoded", body::form(pairs))
    }

    /// Sends texts and files as a form does.
    pub fn multipart(self, parts: Multipart) -> Self {
        let (media_type, bytes) = parts.encode();
        self.body(media_type, bytes)
    }

    /// Sends bytes, in place of a body that was given before.
    pub fn body(mut self, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        self.request.body = bytes.into();
        self.header("content-type", media_type)
    }

    /// Limits how long the request may take, below what the operator allows.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.request.deadline = Some(deadline);
        self
    }

    /// Limits how many bytes the answer may have, below what the operator allows.
    pub fn most_bytes(mut self, bytes: u64) -> Self {
        self.request.most_bytes = Some(bytes);
        self
    }

    /// Sends the request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// As [`HttpPort::send`](super::HttpPort::send) says.
    pub async fn send(self) -> Result<HttpResponse> {
        HttpResponse::read(self.begin().await?).await
    }

    /// Sends the request, and returns the answer before its body has come.
    ///
    /// # Errors
    ///
    /// As [`HttpPort::send`](super::HttpPort::send) says.
    pub async fn stream(mut self) -> Result<HttpStream> {
        self.request.streamed = true;
        Ok(HttpStream::new(self.begin().await?))
    }

    async fn begin(self) -> Result<HttpAnswer> {
        match self.problem {
            Some(problem) => Err(problem),
            None => self.http.send(self.request).await,
        }
    }
}
