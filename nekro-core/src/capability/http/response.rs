//! An answer: as a port gives it, read as a whole, or piece by piece.

use std::fmt;

use serde::de::DeserializeOwned;

use super::request::find;
use crate::{
    call::BoxFuture,
    error::{Error, Result},
};

/// An answer, as a port gives it: its body has yet to come.
#[non_exhaustive]
pub struct HttpAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// Where it came from, after redirects.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The rest.
    pub body: Box<dyn HttpBody>,
}

/// The body of an answer, piece by piece. Implemented by the host.
pub trait HttpBody: Send {
    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// `timeout`, `too_large`, or `unreachable` if the connection broke.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>>>;
}

/// A body that is there as a whole.
#[derive(Debug, Default)]
pub struct WholeBody(Vec<u8>);

impl WholeBody {
    /// Makes one.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
}

impl HttpBody for WholeBody {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        let bytes = std::mem::take(&mut self.0);
        Box::pin(std::future::ready(Ok((!bytes.is_empty()).then_some(bytes))))
    }
}

impl HttpAnswer {
    /// Makes an answer.
    pub fn new(status: u16, url: impl Into<String>, headers: Vec<(String, String)>, body: Box<dyn HttpBody>) -> Self {
        Self { status, url: url.into(), headers, body }
    }
}

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer").field("status", &self.status).field("url", &self.url).finish_non_exhaustive()
    }
}

/// An answer that was read as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpResponse {
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpResponse {
    pub(super) async fn read(mut answer: HttpAnswer) -> Result<Self> {
        // Most answers come as one piece, which is then not copied.
        let mut body = answer.body.next().await?.unwrap_or_default();
        while let Some(piece) = answer.body.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(Self { status: answer.status, url: answer.url, headers: answer.headers, body })
    }

    /// Returns the status, such as 404.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Tells whether the status is one of success: 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns where the answer came from, after redirects.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Returns the body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// Refuses an answer whose status is not one of success.
    ///
    /// # Errors
    ///
    /// `http_status`, with the beginning of what the other side wrote; retryable if it may pass: 429 and 500 to 599.
    pub fn success(self) -> Result<Self> {
        if self.is_success() {
            return Ok(self);
        }
        let mut message = format!("{} answered with the status {}", self.host(), self.status);
        let beginning = self.beginning();
        if !beginning.is_empty() {
            message = format!("{message}: {beginning}");
        }
        let error = Error::new(message).with_code("http_status");
        Err(if self.status == 429 || self.status >= 500 { error.retryable() } else { error })
    }

    /// Returns the body as a text in UTF-8, if the status is one of success.
    ///
    /// # Errors
    ///
    /// As [`HttpResponse::success`], and `not_text`.
    pub fn text(self) -> Result<String> {
        let answer = self.success()?;
        let host = answer.host().to_owned();
        String::from_utf8(answer.body)
            .map_err(|_| Error::new(format!("{host} answered with something that is not text in UTF-8")).with_code("not_text"))
    }

    /// Reads the body as JSON, if the status is one of success. For others, look at [`HttpResponse::status`] and
    /// [`HttpResponse::bytes`].
    ///
    /// # Errors
    ///
    /// As [`HttpResponse::success`], and `not_json` if the body is not a `T`.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        let answer = self.success()?;
        let mut reader = serde_json::Deserializer::from_slice(&answer.body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { String::new() } else { format!(" at `{path}`") };
            Error::new(format!("{} answered with something unexpected{place}: {}", answer.host(), error.inner()))
                .with_code("not_json")
        })?;
        reader.end().map_err(|_| {
            Error::new(format!("{} answered with something after the end of its JSON", answer.host())).with_code("not_json")
        })?;
        Ok(value)
    }

    fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or(rest)
    }

    /// Returns the beginning of the body as one line of text, to be quoted.
    fn beginning(&self) -> String {
        const MOST_CHARACTERS: usize = 200;
        let bytes = &self.body[..self.body.len().min(4 * MOST_CHARACTERS)];
        let text = String::from_utf8_lossy(bytes);
        let mut line = String::new();
        for word in text.split(|one: char| one.is_whitespace() || one.is_control()).filter(|word| !word.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        match line.char_indices().nth(MOST_CHARACTERS) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line,
        }
    }
}

/// An answer that is read piece by piece.
#[derive(Debug)]
pub struct HttpStream(HttpAnswer);

impl HttpStream {
    pub(super) fn new(answer: HttpAnswer) -> Self {
        Self(answer)
    }

    /// Returns the status, such as 404.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Returns where the answer comes from, after redirects.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Returns the first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.0.headers, name)
    }

    /// Returns the next piece of the body; `None` at the end.
    ///
    /// # Errors
    ///
    /// As [`HttpBody::next`] says.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        self.0.body.next().await
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        HttpResponse { status, url: "https://api.example.org/v1?key=x".to_owned(), headers: Vec::new(), body: body.into() }
    }

    #[track_caller]
    fn wrong(status: u16, body: &str, expected: Expect) {
        let error = answer(status, body).json::<Vec<u8>>().expect_err("no list of numbers");
        expected.assert_eq(&format!("{}{}: {error}", error.code(), if error.is_retryable() { " (retryable)" } else { "" }));
    }

    #[test]
    fn an_answer_is_read_as_json() {
        assert_eq!(answer(200, "[1, 2]\n").json::<Vec<u8>>().expect("a list"), [1, 2]);
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_told_without_its_query() {
        wrong(404, "", expect!["http_status: api.example.org answered with the status 404"]);
        wrong(
            503,
            " try\r\n later ",
            expect!["http_status (retryable): api.example.org answered with the status 503: try later"],
        );
        wrong(
            200,
            "[1, 300]",
            expect![
                "not_json: api.example.org answered with something unexpected at `[1]`: invalid value: integer `300`, expected u8 at line 1 column 7"
            ],
        );
        wrong(200, "[1] [2]", expect!["not_json: api.example.org answered with something after the end of its JSON"]);
        wrong(
            200,
            "",
            expect!["not_json: api.example.org answered with something unexpected: EOF while parsing a value at line 1 column 0"],
        );
    }
}
