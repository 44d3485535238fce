//! The border between the plugins and the network.
//!
//! Five layers, for each alone has a hole: the URL is checked before every hop, be it the plugin's or a redirect's (`target`); redirects
//! are followed here and not by the client (`hop`); a name becomes addresses once, and those that may not be reached are left out
//! (`resolver`); no proxy of the environment resolves for us; and the address that answered is checked again. Addresses in a URL never
//! reach the resolver, which is why the first layer judges them itself.

mod address;
mod audit;
mod body;
mod hop;
mod origin;
mod resolver;
mod settings;
mod target;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{BoxFuture, Error, HttpAnswer, HttpMethod, HttpPort, HttpRequest, HttpScope, PluginDecl, Result};
use reqwest::{
    Client, Request, Response, StatusCode,
    header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    redirect, retry,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

pub(crate) use self::settings::HttpSettings;
use self::{
    address::{Network, is_allowed},
    audit::Audit,
    body::{Incoming, MostBytes, Patience},
    hop::Hop,
    resolver::{Forbidden, Lookup, Resolver, SystemLookup},
};

/// Sends the requests of all plugins.
pub(crate) struct Egress {
    settings: HttpSettings,
    networks: Arc<[Network]>,
    lookup: Arc<dyn Lookup>,
    outlets: Mutex<HashMap<&'static str, Arc<Outlet>>>,
}

/// The connections of one plugin. They are shared by host, and so must not be shared between plugins with other scopes.
struct Outlet {
    client: Client,
    free: Arc<Semaphore>,
}

impl Egress {
    /// Makes one that asks the operating system for the addresses of names.
    pub(crate) fn new(settings: &HttpSettings) -> Self {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    fn with_lookup(settings: &HttpSettings, lookup: Arc<dyn Lookup>) -> Self {
        let networks = settings.allowed_networks.clone().into();
        Self { settings: settings.clone(), networks, lookup, outlets: Mutex::default() }
    }

    fn outlet(&self, scope: HttpScope) -> Result<Arc<Outlet>> {
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = outlets.get(scope.plugin().id) {
            return Ok(Arc::clone(outlet));
        }
        // Somebody else in this process may have chosen it already: it is the only one there is.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = Resolver { scope, networks: Arc::clone(&self.networks), lookup: Arc::clone(&self.lookup) };
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .user_agent(concat!("nekro/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.settings.connect_deadline)
            .pool_max_idle_per_host(4)
            .dns_resolver(Arc::new(resolver))
            .build()
            .map_err(|problem| {
                Error::new(format!("requests cannot be sent: {}", root_cause(&problem))).with_code("unavailable")
            })?;
        let outlet = Arc::new(Outlet { client, free: Arc::new(Semaphore::new(self.settings.concurrency.max(1))) });
        outlets.insert(scope.plugin().id, Arc::clone(&outlet));
        Ok(outlet)
    }

    async fn exchange(&self, scope: HttpScope, request: HttpRequest, mut audit: Audit) -> Result<HttpAnswer> {
        let limit = request.deadline.map_or(self.settings.deadline, |own| own.min(self.settings.deadline));
        let patience = if request.streamed { Patience::Each(limit) } else { Patience::Until(Instant::now() + limit) };
        let most = match request.most_bytes.filter(|own| *own < self.settings.response_bytes) {
            Some(bytes) => MostBytes { bytes, is_plugins_own: true },
            None => MostBytes { bytes: self.settings.response_bytes, is_plugins_own: false },
        };
        let end = patience.end();
        let found = match tokio::time::timeout_at(end, self.follow(scope, request, end, &mut audit)).await {
            Ok(found) => found,
            Err(_) => Err(too_slow(&audit.host)),
        };
        let found = found.and_then(|(response, permit)| {
            let announced = response.content_length().filter(|_| audit.method() != HttpMethod::Head);
            if announced.is_some_and(|bytes| bytes > most.bytes) {
                Err(most.exceeded(&audit.host))
            } else {
                Ok((response, permit))
            }
        });
        let (response, permit) = found.inspect_err(|problem| audit.problem = Some(problem.code().to_owned()))?;
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let (status, url, headers) = (response.status().as_u16(), response.url().to_string(), headers.collect());
        let body = Incoming { response, patience, most, audit, _permit: permit };
        Ok(HttpAnswer::new(status, url, headers, Box::new(body)))
    }

    /// Sends a request, and follows its redirects.
    async fn follow(
        &self,
        scope: HttpScope,
        request: HttpRequest,
        end: Instant,
        audit: &mut Audit,
    ) -> Result<(Response, OwnedSemaphorePermit)> {
        if request.body.len() as u64 > self.settings.request_bytes {
            let most = self.settings.request_bytes;
            return Err(Error::new(format!("the request has more than {most} bytes"))
                .with_code("too_large")
                .with_hint("the limit is `http.request_bytes`"));
        }
        let url = target::parse(&request.url)?;
        audit.host = url.host_str().unwrap_or_default().to_owned();
        let mut hop = Hop::first(request, url, scope, &self.networks)?;
        let outlet = self.outlet(scope)?;
        let permit = Arc::clone(&outlet.free).acquire_owned().await.map_err(|_| too_slow(&audit.host))?;
        loop {
            audit.host.clone_from(&hop.target.host);
            let response = self.attempt(&outlet.client, &hop, scope.plugin().id, end, audit).await?;
            audit.status = response.status().as_u16();
            let is_redirect = matches!(audit.status, 301 | 302 | 303 | 307 | 308);
            let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
                return Ok((response, permit));
            };
            if audit.redirects == self.settings.redirects {
                return Err(Error::new(format!("{} redirects more than {} times", audit.host, audit.redirects))
                    .with_code("too_many_redirects")
                    .with_hint("the limit is `http.redirects`"));
            }
            audit.redirects += 1;
            hop = hop.redirected(audit.status, location.as_bytes(), scope, &self.networks)?;
        }
    }

    /// Sends one hop, again where that does no harm and may help.
    async fn attempt(&self, client: &Client, hop: &Hop, plugin: &str, end: Instant, audit: &mut Audit) -> Result<Response> {
        let mut delay = self.settings.retry_delay;
        for retries_left in (0..=self.settings.retries).rev() {
            let outcome = client.execute(self.request(hop, plugin)?).await;
            let host = &hop.target.host;
            let pause = match &outcome {
                Ok(response) => is_passing(response.status()).then(|| delay.max(retry_after(response))),
                Err(problem) => (problem.is_connect() || problem.is_request()).then_some(delay),
            };
            let may_help =
                retries_left > 0 && hop.method.is_idempotent() && !matches!(&outcome, Err(problem) if is_forbidden(problem));
            match pause.filter(|pause| may_help && Instant::now() + *pause < end) {
                Some(pause) => {
                    audit.retries += 1;
                    tokio::time::sleep(pause).await;
                    delay = delay.saturating_mul(2);
                }
                None => {
                    let response = outcome.map_err(|problem| unreachable(host, problem))?;
                    let answered = response.remote_addr().map(|address| address.ip());
                    let is_allowed = answered.is_some_and(|address| is_allowed(address, &self.networks));
                    return if is_allowed { Ok(response) } else { Err(target::forbidden(host)) };
                }
            }
        }
        Err(too_slow(&hop.target.host))
    }

    /// Writes down one hop, with the keys that are bound to where it goes.
    fn request(&self, hop: &Hop, plugin: &str) -> Result<Request> {
        let method = reqwest::Method::from_bytes(hop.method.as_str().as_bytes())?;
        let mut request = Request::new(method, hop.target.url.clone());
        *request.headers_mut() = hop.headers.clone();
        if !hop.body.is_empty() {
            *request.body_mut() = Some(hop.body.clone().into());
        }
        for (name, secret) in &self.settings.secrets {
            let is_for = secret.plugins.is_empty() || secret.plugins.iter().any(|one| one == plugin);
            if !is_for || secret.origin != hop.target.origin {
                continue;
            }
            let value = format!("{}{}", secret.prefix, secret.value.expose());
            let header = HeaderName::try_from(&secret.header).ok().zip(HeaderValue::try_from(value).ok());
            let Some((header, mut value)) = header else {
                return Err(
                    Error::new(format!("the key `http.secrets.{name}` cannot be sent as a header")).with_code("unavailable")
                );
            };
            value.set_sensitive(true);
            request.headers_mut().insert(header, value);
        }
        Ok(request)
    }
}

impl HttpPort for Egress {
    fn send(&self, plugin: &'static PluginDecl, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer>> {
        let audit = Audit::begin(plugin, request.method);
        Box::pin(self.exchange(HttpScope::of(plugin), request, audit))
    }
}

/// Tells whether a status says that the same request may succeed later.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// Returns how long the other side asks to wait, if it says so in seconds.
fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // An hour is longer than any deadline: more would only be a number that is hard to add.
    let seconds = header.and_then(|text| text.trim().parse::<u64>().ok()).map_or(0, |seconds| seconds.min(3_600));
    Duration::from_secs(seconds)
}

fn too_slow(host: &str) -> Error {
    Error::new(format!("{host} took too long"))
        .with_code("timeout")
        .with_hint("the limit is the request's own deadline, or `http.deadline`")
        .retryable()
}

fn unreachable(host: &str, problem: reqwest::Error) -> Error {
    if is_forbidden(&problem) {
        return target::forbidden(host);
    }
    if problem.is_timeout() {
        return Error::new(format!("{host} could not be connected to in time"))
            .with_code("timeout")
            .with_hint("the limit is `http.connect_deadline`")
            .retryable();
    }
    // The error's own text would quote the URL.
    Error::new(format!("{host} cannot be reached: {}", root_cause(&problem.without_url()))).with_code("unreachable").retryable()
}

/// Returns an error and what it came from.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn is_forbidden(error: &reqwest::Error) -> bool {
    chain(error).any(|error| error.is::<Forbidden>())
}

fn root_cause(error: &reqwest::Error) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("networks", &self.networks).finish_non_exhaustive()
    }
}
