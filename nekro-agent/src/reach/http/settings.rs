//! The section `[http]` of the settings: what every plugin's requests are held to.

use std::{collections::BTreeMap, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{address::Network, origin::Origin};

/// Requests of plugins to other machines. A plugin reaches the hosts that it declares, and of those only public addresses.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpSettings {
    /// Networks that may be reached though they are not public, such as `127.0.0.0/8` or `192.168.1.10`.
    pub(crate) allowed_networks: Vec<Network>,
    /// How long a request may take, with its redirects, its retries and its answer. For an answer that is read piece by piece, how long
    /// one piece may take.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) deadline: Duration,
    /// How long it may take to connect.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) connect_deadline: Duration,
    /// How many bytes may be sent.
    pub(crate) request_bytes: u64,
    /// How many bytes an answer may have.
    pub(crate) response_bytes: u64,
    /// How many redirects are followed.
    pub(crate) redirects: u32,
    /// How often a request that failed is tried again, if that does no harm: `GET`, `HEAD`, `PUT`, `DELETE` and `OPTIONS`.
    pub(crate) retries: u32,
    /// How long to wait before the first retry; each further one waits twice as long.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) retry_delay: Duration,
    /// How many requests one plugin may have at the same time; the others wait. At least 1.
    pub(crate) concurrency: usize,
    /// Keys that are added to requests on their way out, so that no plugin sees them; each under a name of its own.
    pub(crate) secrets: BTreeMap<String, BoundSecret>,
}

/// A key, and where it is sent to: there, and nowhere else.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundSecret {
    /// Where it is sent to, such as `https://api.example.org`: the scheme, the host, and the port if it is not the usual one.
    pub(crate) origin: Origin,
    /// The header that it is sent in.
    #[serde(default = "authorization")]
    pub(crate) header: String,
    /// What stands before it in the header, such as `Bearer `.
    #[serde(default)]
    pub(crate) prefix: String,
    /// The key.
    pub(crate) value: Secret<String>,
    /// The plugins whose requests it is added to; with none, every plugin's.
    #[serde(default)]
    pub(crate) plugins: Vec<String>,
}

fn authorization() -> String {
    "authorization".to_owned()
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allowed_networks: Vec::new(),
            deadline: Duration::from_secs(30),
            connect_deadline: Duration::from_secs(10),
            request_bytes: 10 * 1024 * 1024,
            response_bytes: 20 * 1024 * 1024,
            redirects: 5,
            retries: 2,
            retry_delay: Duration::from_millis(500),
            concurrency: 8,
            secrets: BTreeMap::new(),
        }
    }
}
