//! Names become addresses once, here, and the connection goes to one of exactly these: a name that changes its mind has no second look-up
//! to win.

use std::{
    error::Error as StdError,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use nekro_core::{BoxFuture, HttpScope};
use reqwest::dns::{Name, Resolve, Resolving};

use super::address::{Network, is_allowed};

/// Who knows the addresses of a name. Implemented over the operating system, and by the tests.
pub(crate) trait Lookup: Send + Sync {
    /// Returns the addresses of a name.
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's knowledge.
#[derive(Debug)]
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// Gives a plugin's connections the addresses that they may go to.
pub(super) struct Resolver {
    pub(super) scope: HttpScope,
    pub(super) networks: Arc<[Network]>,
    pub(super) lookup: Arc<dyn Lookup>,
}

/// No address of a name may be reached.
#[derive(Debug)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of the addresses of this name may be reached")
    }
}

impl StdError for Forbidden {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (networks, scope) = (Arc::clone(&self.networks), self.scope);
        let looked_up = self.lookup.lookup(name.as_str());
        Box::pin(async move {
            // The URL was checked already; this holds also if somebody finds a way around that.
            if !scope.allows_name(name.as_str()) {
                return Err(Forbidden.into());
            }
            let addresses = looked_up.await?;
            let nothing_there = addresses.is_empty();
            let allowed: Vec<_> = addresses
                .into_iter()
                .filter(|address| is_allowed(*address, &networks))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() && !nothing_there {
                return Err(Forbidden.into());
            }
            Ok(Box::new(allowed.into_iter()) as _)
        })
    }
}
