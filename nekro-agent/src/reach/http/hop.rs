//! One hop of a request: what is sent to one host. A redirect makes the next one.

use nekro_core::{Error, HttpMethod, HttpRequest, HttpScope, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use url::Url;

use super::{
    address::Network,
    target::{self, Target},
};

/// What is sent to one host.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) method: HttpMethod,
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The headers by which one side of a connection could be told something else than the other.
const CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that go along when a redirect leads elsewhere. Any other may hold a key.
const HARMLESS: [&str; 7] =
    ["accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "range", "user-agent"];

impl Hop {
    /// Checks a plugin's request.
    pub(super) fn first(request: HttpRequest, url: Url, scope: HttpScope, networks: &[Network]) -> Result<Self> {
        let target = target::check(url, scope, networks)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let bad =
                || Error::new(format!("`{}` is not a header that can be sent", name.escape_debug())).with_code("bad_request");
            let name = HeaderName::try_from(name).map_err(|_| bad())?;
            if CONNECTION.contains(&name.as_str()) {
                return Err(bad().with_hint("the host of the plugins sets it"));
            }
            let mut value = HeaderValue::try_from(value).map_err(|_| bad())?;
            value.set_sensitive(!HARMLESS.contains(&name.as_str()));
            headers.append(name, value);
        }
        Ok(Self { method: request.method, target, headers, body: request.body })
    }

    /// Follows a redirect of a status, as RFC 9110 describes it in section 15.4. Where it leads is checked as if the plugin had asked.
    pub(super) fn redirected(mut self, status: u16, location: &[u8], scope: HttpScope, networks: &[Network]) -> Result<Self> {
        let from = self.target;
        let place = std::str::from_utf8(location).ok().and_then(|location| from.url.join(location).ok());
        let place = place.ok_or_else(|| misled(&from, "to something that is no URL"))?;
        if from.url.scheme() == "https" && place.scheme() != "https" {
            return Err(misled(&from, "from https to something less safe"));
        }
        let host = from.host;
        let target = target::check(place, scope, networks).map_err(|problem| {
            let error = Error::new(format!("{host} redirects: {}", problem.message())).with_code(problem.code().to_owned());
            match problem.hint() {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })?;
        let becomes_get = match status {
            303 => self.method != HttpMethod::Head,
            301 | 302 => self.method == HttpMethod::Post,
            _ => false,
        };
        if becomes_get {
            self.method = HttpMethod::Get;
            self.body = Vec::new();
            self.headers.remove("content-type");
        }
        if target.origin != from.origin {
            let keys: Vec<_> = self.headers.keys().filter(|name| !HARMLESS.contains(&name.as_str())).cloned().collect();
            for key in keys {
                self.headers.remove(key);
            }
        }
        Ok(Self { target, ..self })
    }
}

fn misled(from: &Target, problem: &str) -> Error {
    Error::new(format!("{} redirects {problem}", from.host)).with_code("bad_redirect")
}
