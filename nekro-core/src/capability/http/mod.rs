//! Requests to other machines: to the hosts that the plugin declares, and no others.

mod body;
mod request;
mod response;
mod scope;

use std::{fmt, sync::Arc};

pub use self::{
    body::Multipart,
    request::{HttpMethod, HttpRequest, RequestBuilder},
    response::{HttpAnswer, HttpBody, HttpResponse, HttpStream, WholeBody},
    scope::HttpScope,
};
use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Requests to other machines: to the hosts that the plugin declares, and no others.
///
/// The host watches the border: addresses that are not public are refused, redirects too unless they lead to a declared host, and time
/// and size are limited (`[http]` in the settings). A key that the operator bound to a host is added there, and the plugin never sees it.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Prices of metals.
/// #[plugin(id = "metals", http = ["api.example.org"])]
/// pub struct Metals;
///
/// #[derive(Deserialize)]
/// struct Price {
///     euros: f64,
/// }
///
/// /// Returns the price of a metal, in euros.
/// #[tool]
/// async fn price(
///     http: &Http,
///     /// The metal, such as "gold".
///     metal: String,
/// ) -> Result<f64> {
///     let price: Price = http.get("https://api.example.org/v1/price").query("metal", metal).send().await?.json()?;
///     Ok(price.euros)
/// }
/// # fn main() {
/// # use nekro_core::testing::{FakeAnswer, Host};
/// # use serde_json::json;
/// let host = Host::builder::<Metals>()
///     .answer("GET https://api.example.org/v1/price", FakeAnswer::json(json!({ "euros": 92.5 })))
///     .start();
/// assert_eq!(host.call_as::<f64>("price", json!({ "metal": "fool's gold" })).unwrap(), 92.5);
/// assert_eq!(host.requests()[0].url, "https://api.example.org/v1/price?metal=fool%27s%20gold");
/// # }
/// ```
#[derive(Clone)]
pub struct Http {
    plugin: &'static PluginDecl,
    port: Arc<dyn HttpPort>,
}

/// Where requests go. Implemented by the host, which keeps to what the plugin declares ([`HttpScope`]).
pub trait HttpPort: Send + Sync {
    /// Sends a request, and returns the answer as soon as its body begins.
    ///
    /// # Errors
    ///
    /// `out_of_scope` for a host that is not declared, `forbidden_address` for one that the operator does not allow, `bad_request` for
    /// a request that makes no sense, `timeout`, `unreachable`, `too_large` and `too_many_redirects`. An answer of any status is no error.
    fn send(&self, plugin: &'static PluginDecl, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer>>;
}

impl Http {
    /// Makes a handle over a port, for what a plugin declares.
    pub fn new(plugin: &'static PluginDecl, port: Arc<dyn HttpPort>) -> Self {
        Self { plugin, port }
    }

    /// Begins a `GET` request.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Get, url)
    }

    /// Begins a `HEAD` request.
    pub fn head(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Head, url)
    }

    /// Begins a `POST` request.
    pub fn post(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Post, url)
    }

    /// Begins a `PUT` request.
    pub fn put(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Put, url)
    }

    /// Begins a `PATCH` request.
    pub fn patch(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Patch, url)
    }

    /// Begins a `DELETE` request.
    pub fn delete(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        self.request(HttpMethod::Delete, url)
    }

    /// Begins a request.
    pub fn request(&self, method: HttpMethod, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, HttpRequest::new(method, url))
    }

    /// Returns the hosts that the plugin declares.
    pub fn scope(&self) -> HttpScope {
        HttpScope::of(self.plugin)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer> {
        self.port.send(self.plugin, request).await
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http").field(&self.plugin.scope(HTTP.name)).finish()
    }
}

static HTTP: CapabilityDecl = CapabilityDecl {
    name: "http",
    summary: "sends requests to other machines",
    scope: Some(
        "`&Http` reaches the hosts that the plugin declares: add them to its attribute, such as `#[plugin(http = [\"api.example.org\"])]`",
    ),
    provided: |ports| ports.has::<dyn HttpPort>(),
};

impl<P: Plugin> Lend<P> for Http {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&HTTP);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.plugin.decl(), call.port::<dyn HttpPort>(&HTTP, |gated| Arc::new(gated))?)))
    }
}
