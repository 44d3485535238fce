//! The network itself, by `reqwest`.

use std::time::Duration;

use nekro_core::BoxFuture;
use reqwest::{
    Client, Method,
    header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use tokio::sync::OnceCell;

use super::transport::{Body, Post, Response, Transport, retry_after};
use crate::model::{
    ModelError,
    ModelErrorKind::{BadRequest, Unavailable},
};

/// How long it may take to reach a server; what takes longer, the limits of the model say.
const CONNECT: Duration = Duration::from_secs(15);

/// The network. Nothing is prepared before the first request: reading the system's certificates takes longer than starting everything else.
#[derive(Default)]
pub(in crate::model) struct Network(OnceCell<Client>);

impl Network {
    async fn client(&self) -> Result<&Client, ModelError> {
        let make = || async {
            // Somebody else in this process may have chosen before; any choice will do.
            let _ = rustls::crypto::ring::default_provider().install_default();
            // A key must not travel to where a redirection leads.
            let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT);
            let client = client.user_agent(concat!("nekro/", env!("CARGO_PKG_VERSION")));
            client.build().map_err(|error| broken("no connection can be prepared", error))
        };
        self.0.get_or_try_init(make).await
    }

    async fn send(&self, post: Post) -> Result<Response, ModelError> {
        let mut request = self.client().await?.request(Method::POST, &post.url);
        for (name, value) in &post.headers {
            let problem = || {
                ModelError::new(BadRequest, format!("the header `{name}` cannot be sent: it has characters that no header has"))
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| problem())?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| problem())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "text/event-stream, application/json");
        let response = request.body(post.body).send().await.map_err(|error| broken("it cannot be reached", error))?;
        let headers = response.headers();
        let milliseconds = text(headers, "retry-after-ms").and_then(|text| text.trim().parse().ok()).map(Duration::from_millis);
        let wait = || retry_after(text(headers, RETRY_AFTER.as_str())?, text(headers, DATE.as_str()));
        Ok(Response {
            status: response.status().as_u16(),
            retry_after: milliseconds.or_else(wait),
            is_stream: !text(headers, CONTENT_TYPE.as_str()).is_some_and(|text| text.starts_with("application/json")),
            body: Box::new(Pieces(response)),
        })
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Says what failed. An address may carry a secret and is left out.
fn broken(what: &str, error: reqwest::Error) -> ModelError {
    let error = error.without_url();
    let mut reasons = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(reason) = source {
        let text = reason.to_string();
        if !reasons.contains(&text) {
            reasons = format!("{reasons}: {text}");
        }
        source = reason.source();
    }
    // A request that cannot even be made would fail again.
    let kind = if error.is_builder() { BadRequest } else { Unavailable };
    ModelError::new(kind, format!("{what}: {reasons}"))
}

impl Transport for Network {
    fn send(&self, post: Post) -> BoxFuture<'_, Result<Response, ModelError>> {
        Box::pin(self.send(post))
    }
}

struct Pieces(reqwest::Response);

impl Body for Pieces {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, ModelError>> {
        Box::pin(async {
            let piece = self.0.chunk().await.map_err(|error| broken("the answer broke off", error))?;
            Ok(piece.map(|bytes| bytes.to_vec()))
        })
    }
}
