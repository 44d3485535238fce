//! The hosts that a plugin declares, and whether a URL is within them.
//!
//! Kept apart from any reader of URLs: the host asks with what it has read, and so does a test's fake.

use std::net::{IpAddr, Ipv6Addr};

use super::HTTP;
use crate::{error::Error, plugin::PluginDecl};

/// The hosts that a plugin declares.
///
/// `api.example.org` is that host on the port of the scheme, `*.example.org` every host below it, `*` every host that has a name,
/// `api.example.org:8443` that host on that port, and `api.example.org:*` that host on every port. An address is reached only where it is declared itself.
#[derive(Clone, Copy, Debug)]
pub struct HttpScope {
    plugin: &'static PluginDecl,
}

impl HttpScope {
    /// Returns what a plugin declares.
    pub fn of(plugin: &'static PluginDecl) -> Self {
        Self { plugin }
    }

    /// Returns the plugin.
    pub fn plugin(self) -> &'static PluginDecl {
        self.plugin
    }

    /// Tells whether a host is declared: in lower case, without a dot at its end, and an address of version 6 in brackets.
    pub fn allows(self, host: &str, port: u16, usual_port: u16) -> bool {
        self.entries().any(|(name, declared)| declared.allows(port, usual_port) && is_within(host, name))
    }

    /// Tells whether a host is declared on any port.
    pub fn allows_name(self, host: &str) -> bool {
        self.entries().any(|(name, _)| is_within(host, name))
    }

    /// Returns the error for a host that is not declared.
    pub fn refusal(self, host: &str) -> Error {
        let id = self.plugin.id;
        Error::new(format!("the plugin `{id}` does not declare the host `{host}`"))
            .with_code("out_of_scope")
            .with_hint(format!("its author adds {host:?} to `http` in `#[plugin(http = […])]`"))
    }

    fn entries(self) -> impl Iterator<Item = (&'static str, Ports)> {
        self.plugin.scope(HTTP.name).iter().map(|entry| match entry.rsplit_once(':') {
            // The colons of an address in brackets are its own.
            Some((name, "*")) => (name, Ports::All),
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().map_or(Ports::Usual, Ports::One)),
            _ => (*entry, Ports::Usual),
        })
    }
}

/// The ports of a host that are declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ports {
    /// That of the URL's scheme.
    Usual,
    One(u16),
    All,
}

impl Ports {
    fn allows(self, port: u16, usual_port: u16) -> bool {
        match self {
            Self::Usual => port == usual_port,
            Self::One(one) => port == one,
            Self::All => true,
        }
    }
}

fn is_within(host: &str, declared: &str) -> bool {
    if let Some(address) = address(host) {
        return self::address(declared) == Some(address);
    }
    match declared.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).and_then(|rest| rest.strip_suffix('.')).is_some_and(|below| !below.is_empty()),
        None => declared == "*" || declared == host,
    }
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(six) => six.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_the_usual_one_unless_it_is_declared() {
        for (declared, usual, other) in [(Ports::Usual, true, false), (Ports::One(8443), false, true), (Ports::All, true, true)] {
            assert_eq!((declared.allows(443, 443), declared.allows(8443, 443)), (usual, other), "{declared:?}");
        }
    }

    #[test]
    fn a_host_is_within_what_is_declared_for_it() {
        for (host, declared, within) in [
            ("a.org", "a.org", true),
            ("b.a.org", "a.org", false),
            ("b.a.org", "*.a.org", true),
            ("c.b.a.org", "*.a.org", true),
            ("a.org", "*.a.org", false),
            (".a.org", "*.a.org", false),
            ("xa.org", "*.a.org", false),
            ("a.org.evil.org", "a.org", false),
            ("a.org.evil.org", "*.a.org", false),
            ("anything", "*", true),
            ("1.2.3.4", "*", false),
            ("[::1]", "*", false),
            ("1.2.3.4", "1.2.3.4", true),
            ("1.2.3.4", "*.3.4", false),
            ("[::1]", "[0:0:0:0:0:0:0:1]", true),
            ("[::2]", "[::1]", false),
            ("", "*.a.org", false),
        ] {
            assert_eq!(is_within(host, declared), within, "{host} in {declared}");
        }
    }
}
