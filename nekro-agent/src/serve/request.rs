//! A request, once it is known who asks: its path, its query and its body, read as what they should be.

use std::borrow::Cow;

use axum::{
    body::Bytes,
    extract::Query,
    http::{HeaderMap, Uri, header::CONTENT_TYPE},
};
use nekro_core::{Caller, SessionId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{access::Identity, problem::Problem};

/// A request.
pub(super) struct Request {
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// What stands in the path, by name, decoded.
    pub(super) path: Vec<(String, String)>,
    pub(super) body: Bytes,
    pub(super) identity: Identity,
}

impl Request {
    /// Returns what stands in the path under a name that the operation's path has.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Returns the session in the path, if whoever asks may reach it. To everybody else it looks unknown.
    pub(super) fn session(&self) -> Result<SessionId, Problem> {
        self.reached(self.path("session").into())
    }

    /// Returns a session, if whoever asks may reach it.
    pub(super) fn reached(&self, session: SessionId) -> Result<SessionId, Problem> {
        if self.identity.reaches(&session) && is_name(session.as_str()) {
            return Ok(session);
        }
        let own = self.identity.session();
        Err(unknown_session(&session).with_hint(format!("your own sessions are `{own}` and `{own}:NAME`")))
    }

    /// Reads the query.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        Query::try_from_uri(&self.uri).map(|Query(query)| query).map_err(|error| Problem::bad_request(error.body_text()))
    }

    /// Reads the body.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json(&self.headers, &self.body)
    }

    /// Reads a body that is an object, and may be left out.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Problem> {
        if self.body.is_empty() { Ok(Map::new()) } else { self.json() }
    }

    /// Returns the media type of the body, without its parameters.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Returns who is calling.
    pub(super) fn caller(&self) -> Caller {
        self.identity.caller()
    }
}

/// Returns a header, if it is text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the media type of a body, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a body that is JSON.
pub(super) fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let media_type = media_type(headers);
    if media_type != "application/json" && !media_type.ends_with("+json") {
        let problem =
            Problem::new(415, "unsupported_media_type", "the body is JSON: send it with `Content-Type: application/json`");
        return Err(problem);
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).and_then(|value| match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(serde_path_to_error::Error::new(serde_path_to_error::Track::new().path(), error)),
    });
    read.map_err(|error| Problem::bad_request(format!("the body cannot be read: {error}")))
}

/// There is no such session.
pub(super) fn unknown_session(session: &SessionId) -> Problem {
    Problem::new(404, "unknown_session", format!("there is no session `{session}`"))
}

/// The longest name of a session, in bytes.
const MOST_OF_A_NAME: usize = 200;

/// Tells whether a session could be called so: what comes from elsewhere is printed, logged and put into paths.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_OF_A_NAME && !text.chars().any(char::is_control)
}

/// Splits a path into its parts, decoded. `None` for one that is no text.
pub(super) fn parts(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let parts = path.split('/');
    if path.contains('%') { parts.map(decoded).collect() } else { Some(parts.map(Cow::Borrowed).collect()) }
}

fn decoded(part: &str) -> Option<Cow<'_, str>> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_before_it_is_decoded() {
        let check = |path: &str, expected: Option<&[&str]>| {
            let parts = parts(path);
            assert_eq!(
                parts.as_deref().map(|parts| parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()).as_deref(),
                expected,
                "{path}"
            );
        };
        check("", Some(&[]));
        check("/", Some(&[]));
        check("/a%2Fb/c%20d/%C3%A4", Some(&["a/b", "c d", "ä"]));
        check("//a/", Some(&["", "a", ""]));
        for wrong in ["/%", "/%2", "/%zz", "/%ff", "/%+1"] {
            check(wrong, None);
        }
    }
}
