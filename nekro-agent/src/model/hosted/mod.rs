//! Models over the network.
//!
//! A provider's own JSON is known to its own file: `openai` for the way of writing that most have in common, `anthropic` for theirs.
//! Everything else is the same for all: the conversation is put in order first, names are made to fit, what comes is put together piece by
//! piece, within limits of bytes and time.

mod anthropic;
mod assembly;
mod client;
mod embed;
mod failure;
mod names;
mod openai;
mod sse;
mod steps;
#[cfg(test)]
mod tests;
mod transport;
mod vendors;
mod wire;

use std::{future::Future, sync::Arc, time::Duration};

use nekro_core::{BoxFuture, Secret};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use self::{
    assembly::{Assembly, too_large},
    names::Names,
    sse::Events,
    transport::{Body, Post},
    wire::{Reader, Wire},
};
pub(super) use self::{client::Network, embed::Embeddings, transport::Transport, vendors::Vendor};
use super::{
    Answer, Model, ModelError,
    ModelErrorKind::{Unauthorized, Unavailable},
    Request, Sink,
};

/// How much of a refusal is read, in bytes.
const MOST_REFUSAL: usize = 64 << 10;

/// A model over the network.
pub(super) struct Hosted {
    name: String,
    // What the provider calls it.
    model: String,
    wire: &'static dyn Wire,
    address: String,
    headers: Vec<(String, Secret<String>)>,
    // What no message may repeat.
    secrets: Vec<Secret<String>>,
    transport: Arc<dyn Transport>,
    bounds: Bounds,
}

/// What is waited for, and how much is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Until the first piece of an answer.
    pub(super) first_byte: Duration,
    /// From one piece to the next.
    pub(super) between_chunks: Duration,
    /// The bytes of an answer.
    pub(super) most_bytes: usize,
}

/// Where a model is, and how it is reached.
pub(super) struct Address<'a> {
    /// The provider.
    pub(super) vendor: Vendor,
    /// Another address than the provider's own.
    pub(super) url: Option<&'a str>,
    /// What the provider calls the model.
    pub(super) model: &'a str,
    /// The key.
    pub(super) key: Option<&'a Secret<String>>,
    /// What else is sent.
    pub(super) headers: Vec<(String, Secret<String>)>,
}

impl Hosted {
    /// Makes a model; nothing is sent.
    pub(super) fn new(name: &str, address: Address<'_>, bounds: Bounds, transport: Arc<dyn Transport>) -> Self {
        let Address { vendor, url, model, key, headers: more } = address;
        let mut secrets: Vec<_> = more.iter().map(|(_, value)| value.clone()).chain(key.cloned()).collect();
        // What stands in an address before an `@` is a password.
        let in_address = url.and_then(|url| url.split_once("://")?.1.split('/').next()?.rsplit_once('@'));
        secrets.extend(in_address.map(|(login, _)| Secret::new(login.to_owned())));
        let own = vendor.headers(key.map(|key| key.expose().as_str()));
        let mut headers: Vec<_> = own.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        // What the operator sets takes the place of what would be sent.
        headers.retain(|(name, _)| !more.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        headers.extend(more);
        let (wire, address) = (vendor.wire(), vendor.address(url));
        Self { name: name.to_owned(), model: model.to_owned(), wire, address, headers, secrets, transport, bounds }
    }

    async fn exchange(&self, request: &Request, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        let names = Names::of(request);
        let mut body = self.wire.write(request, &names);
        body["model"] = self.model.as_str().into();
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let post = Post { url: self.address.clone(), headers, body: body.to_string() };
        let mut patience = Patience { until: Instant::now() + self.bounds.first_byte, bounds: self.bounds, begun: false };
        let response = patience.wait(self.transport.send(post)).await?;
        let mut body = response.body;
        if !(200..300).contains(&response.status) {
            // A refusal may end early: what came of it says enough.
            let mut refusal = Vec::new();
            while let Ok(Some(piece)) = patience.piece(body.as_mut()).await {
                refusal.extend_from_slice(&piece[..piece.len().min(MOST_REFUSAL - refusal.len())]);
                if refusal.len() == MOST_REFUSAL {
                    break;
                }
            }
            return Err(failure::of_status(response.status, &String::from_utf8_lossy(&refusal), response.retry_after));
        }
        let mut assembly = Assembly::new(&self.name, self.bounds.most_bytes, &names, sink);
        if response.is_stream {
            self.read_stream(body.as_mut(), &mut patience, &mut assembly).await?;
        } else {
            self.wire.read_whole(&self.read_json(body.as_mut(), &mut patience).await?, &mut assembly)?;
        }
        Ok(assembly.finish(request.entries.len()))
    }

    async fn read_stream(&self, body: &mut dyn Body, patience: &mut Patience, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        let mut events = Events::new(self.bounds.most_bytes);
        let mut reader = self.wire.stream();
        let mut come = 0;
        while let Some(piece) = patience.piece(body).await? {
            // Not only what is used counts: wrapping without end is an answer without end.
            come += piece.len();
            if come > self.bounds.most_bytes.saturating_mul(WRAPPING) {
                return Err(too_large(self.bounds.most_bytes));
            }
            for event in events.read(&piece).map_err(|_| too_large(self.bounds.most_bytes))? {
                if reader.read(&event, to)? {
                    return Ok(());
                }
            }
        }
        let is_whole = match events.finish() {
            Some(event) => read_last(reader.as_mut(), &event, to)?,
            None => false,
        };
        if is_whole || reader.may_end() { Ok(()) } else { Err(broke_off()) }
    }

    async fn read_json(&self, body: &mut dyn Body, patience: &mut Patience) -> Result<Value, ModelError> {
        let mut whole = Vec::new();
        while let Some(piece) = patience.piece(body).await? {
            if whole.len() + piece.len() > self.bounds.most_bytes {
                return Err(too_large(self.bounds.most_bytes));
            }
            whole.extend_from_slice(&piece);
        }
        wire::json(&String::from_utf8_lossy(&whole))
    }

    /// Says which model failed, and takes out what must not be repeated: a provider may quote the key in its refusal.
    fn explain(&self, mut error: ModelError) -> ModelError {
        for secret in self.secrets.iter().map(|secret| secret.expose().as_str()).filter(|secret| secret.len() > 3) {
            error.message = error.message.replace(secret, "(secret)");
        }
        let name = &self.name;
        error.message = format!("the model `{name}` did not answer: {}", error.message);
        if error.kind == Unauthorized {
            error.message = format!("{} (`models.{name}.api_key`)", error.message);
        }
        error
    }
}

/// How much more than an answer its wrapping may be: a word comes in a few hundred bytes of JSON.
const WRAPPING: usize = 256;

fn broke_off() -> ModelError {
    ModelError::new(Unavailable, "the answer broke off")
}

/// Reads the event in which a stream ended. If it is not whole, neither is the answer.
fn read_last(reader: &mut dyn Reader, event: &sse::Event, to: &mut Assembly<'_>) -> Result<bool, ModelError> {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&event.data).is_ok();
    if is_json || event.data.trim() == "[DONE]" { reader.read(event, to) } else { Err(broke_off()) }
}

/// How long something may take.
struct Patience {
    until: Instant,
    bounds: Bounds,
    begun: bool,
}

impl Patience {
    async fn piece(&mut self, body: &mut dyn Body) -> Result<Option<Vec<u8>>, ModelError> {
        let piece = self.wait(body.next()).await?;
        self.begun = true;
        Ok(piece)
    }

    async fn wait<T>(&mut self, what: impl Future<Output = Result<T, ModelError>>) -> Result<T, ModelError> {
        if self.begun {
            self.until = Instant::now() + self.bounds.between_chunks;
        }
        timeout_at(self.until, what).await.map_err(|_| {
            let (what, key, limit) = if self.begun {
                ("nothing more came", "between_chunks", self.bounds.between_chunks)
            } else {
                ("nothing came", "first_byte", self.bounds.first_byte)
            };
            ModelError::new(Unavailable, format!("{what} within {limit:?} (`timeouts.{key}`)"))
        })?
    }
}

impl Model for Hosted {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async { self.exchange(request, sink).await.map_err(|error| self.explain(error)) })
    }
}
