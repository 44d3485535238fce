//! A scheme, a host and a port: what a key is bound to, and what a redirect may not leave with one.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// A scheme, a host and a port, such as `https://api.example.org`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Returns the origin of a URL; `None` if it has no host.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let host = url.host_str()?.trim_end_matches('.').to_owned();
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an origin, such as `https://api.example.org`");
        let url = Url::parse(&text).map_err(|_| wrong())?;
        let is_bare = matches!(url.scheme(), "https" | "http")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_bare { Self::of(&url).ok_or_else(wrong) } else { Err(wrong()) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_a_path() {
        for (text, origin) in [
            ("https://api.example.org", Some("https://api.example.org:443")),
            ("https://API.example.org./", Some("https://api.example.org:443")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("api.example.org", None),
            ("https://api.example.org/v1", None),
            ("https://ada@api.example.org", None),
            ("ftp://api.example.org", None),
        ] {
            assert_eq!(Origin::try_from(text.to_owned()).ok().map(|origin| origin.to_string()).as_deref(), origin, "{text}");
        }
    }
}
