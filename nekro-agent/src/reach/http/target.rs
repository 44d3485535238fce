//! Where one hop of a request goes, and whether it may.

use nekro_core::{Error, HttpScope, Result};
use url::{Host, Url};

use super::{
    address::{Network, is_allowed},
    origin::Origin,
};

/// A URL that was checked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// What is requested: exactly what was checked, so that nobody reads it in another way.
    pub(super) url: Url,
    /// Its origin.
    pub(super) origin: Origin,
    /// Its host, for people to read.
    pub(super) host: String,
}

/// Checks a URL, be it a plugin's or a redirect's. A name is checked again when it is known which addresses it has.
pub(super) fn check(mut url: Url, scope: HttpScope, networks: &[Network]) -> Result<Target> {
    let usual_port = match url.scheme() {
        "https" => 443,
        "http" => 80,
        other => return Err(bad(format!("`{other}` is not a scheme that can be requested: write https or http"))),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a URL with a user name or a password is not requested").with_hint("send them in a header"));
    }
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| bad("port 0 cannot be reached"))?;
    let address = match url.host() {
        Some(Host::Ipv4(four)) => Some(four.into()),
        Some(Host::Ipv6(six)) => Some(six.into()),
        Some(Host::Domain(_)) => None,
        None => return Err(bad("the URL has no host")),
    };
    if let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
        // One dot at the end says that the name is complete, which it always is here.
        url.set_host(Some(&name)).map_err(|_| bad("the URL has no host"))?;
    }
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default().to_owned();
    if !scope.allows(&host, port, usual_port) {
        let shown = if port == usual_port { host } else { format!("{host}:{port}") };
        return Err(scope.refusal(&shown));
    }
    if let Some(address) = address
        && !is_allowed(address, networks)
    {
        return Err(forbidden(&host));
    }
    let origin = Origin::of(&url).ok_or_else(|| bad("the URL has no host"))?;
    Ok(Target { url, origin, host })
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(message).with_code("bad_request")
}

/// Reads a URL as a plugin gives it.
pub(super) fn parse(url: &str) -> Result<Url> {
    // It is not quoted: it may hold a key.
    Url::parse(url)
        .map_err(|problem| bad(format!("the URL cannot be read: {problem}")).with_hint("write it as https://host/path"))
}

/// Returns the error for a host whose addresses are not public. The addresses are not told: they would draw a map of the network.
pub(super) fn forbidden(host: &str) -> Error {
    Error::new(format!("`{host}` is not on the public Internet, and this agent's operator does not allow its address"))
        .with_code("forbidden_address")
        .with_hint("the operator may add its network to `http.allowed_networks`")
}
