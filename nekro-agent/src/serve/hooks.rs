//! Webhooks: believed by their signature, stored, answered, and handled afterwards, also by the next start.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{body::Body, http::Response};
use futures_util::StreamExt;
use nekro_core::{
    Timestamp,
    kernel::{RawDelivery, WebhookEntry},
    web::{self, Signature},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, watch};
use tracing::Instrument;

use super::{
    answer,
    problem::Problem,
    request::{self, Request},
    server::Server,
    signature::{self, Refused, Signed},
};
use crate::storage::{NewDelivery, StoredDelivery};

/// How many are handled at the same time.
const AT_ONCE: usize = 8;

/// How many are read at once.
const BATCH: usize = 32;

/// How long to wait before one that failed is tried again for the first time; each further time twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(10);

/// How long to wait for a plugin that does not run.
const ABSENT: Duration = Duration::from_secs(60);

/// The longest wait for anything: a clock may have been set.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Wakes who handles webhooks.
#[derive(Default)]
pub(super) struct Hooks(Notify);

/// Answers a webhook.
pub(super) async fn answer(server: &Server, request: axum::extract::Request) -> Response<Body> {
    match take(server, request).await {
        Ok(answered) => answer::answer(answered, || None, &server.kept.streams),
        Err(problem) => answer::problem(&problem),
    }
}

async fn take(server: &Server, request: axum::extract::Request) -> Result<web::Answer, Problem> {
    let path = request.uri().path().strip_prefix("/hooks").and_then(request::parts).unwrap_or_default();
    let path: Vec<_> = path.into_iter().map(Cow::into_owned).collect();
    let nothing = || Problem::not_found("there is no webhook at this path");
    let [plugin, name] = path.as_slice() else { return Err(nothing()) };
    let entry = server.kernel.webhook(plugin, name).ok_or_else(nothing)?;
    let request = server.receive(request, Vec::new(), None).await?;
    let secret = server.kernel.webhook_secret(entry).filter(|secret| !secret.expose().is_empty());
    let Some(secret) = secret else {
        tracing::warn!(plugin, webhook = name, "a webhook came, and its secret is not set");
        return Err(Problem::new(403, "forbidden", "this webhook has no secret yet, by which its sender could be known"));
    };
    believe(server, entry, secret.expose(), &request)?;
    let payload: Value = request.json()?;
    // Slack asks once whether somebody is there.
    if let (Signature::Slack, Some("url_verification")) = (entry.decl.signature, payload["type"].as_str()) {
        return Ok(web::Answer::json(&json!({ "challenge": payload["challenge"] }))?);
    }
    let text = String::from_utf8_lossy(&request.body).into_owned();
    (entry.decl.check)(&text)?;
    let (id, event) = names(entry, &request, &payload)?;
    let came = NewDelivery { plugin: plugin.clone(), hook: name.clone(), id: id.clone(), event, payload: text };
    let is_new = server.storage.put_delivery(came).await?;
    server.kept.hooks.0.notify_one();
    Ok(web::Answer::json(&json!({ "id": id, "new": is_new }))?.with_status(202))
}

/// Believes a sender by its signature. One that is not believed is told little, and the operator why.
fn believe(server: &Server, entry: &WebhookEntry, secret: &str, request: &Request) -> Result<(), Problem> {
    let header = |name: &str| request.header(name);
    let age = server.settings.webhook_age;
    let signed = Signed { header: &header, body: &request.body, now: Timestamp::now().as_second(), age };
    let Err(refused) = signature::verify(entry.decl.signature, secret, &signed) else { return Ok(()) };
    let why = match refused {
        Refused::Missing(header) => format!("the header `{header}` is missing or cannot be read"),
        Refused::Wrong => "the signature is wrong".to_owned(),
        Refused::Age => "it was signed too long ago (`serve.webhook_age`)".to_owned(),
    };
    tracing::warn!(plugin = entry.decl.plugin.id, webhook = entry.decl.name, "a webhook was refused: {why}");
    Err(Problem::new(401, "unauthorized", "the webhook is not signed as it should be"))
}

/// Returns how the sender names what came, and what kind of event it is.
fn names(entry: &WebhookEntry, request: &Request, payload: &Value) -> Result<(String, Option<String>), Problem> {
    let header = |name: &str| request.header(name).map(str::to_owned);
    let field = |value: &Value| value.as_str().map(str::to_owned);
    let (id, event) = match entry.decl.signature {
        Signature::Github => (header("x-github-delivery"), header("x-github-event")),
        Signature::Gitlab => (header("idempotency-key").or_else(|| header("x-gitlab-event-uuid")), header("x-gitlab-event")),
        Signature::Stripe => (field(&payload["id"]), field(&payload["type"])),
        Signature::Slack => (field(&payload["event_id"]), field(&payload["event"]["type"]).or_else(|| field(&payload["type"]))),
        _ => (header("idempotency-key").or_else(|| header("x-delivery-id")), header("x-event")),
    };
    // Without a name of its own it is known by what it says.
    let id = id.unwrap_or_else(|| Sha256::digest(&request.body).iter().map(|byte| format!("{byte:02x}")).collect());
    if !request::is_name(&id) || event.as_deref().is_some_and(|event| !request::is_name(event)) {
        return Err(Problem::bad_request(
            "the id and the event of a webhook have 1 to 200 characters, none of which controls anything",
        ));
    }
    Ok((id, event))
}

/// Handles what came, until the server ends. What waits then waits for the next start.
pub(super) async fn handle(server: Arc<Server>, mut ending: watch::Receiver<bool>) {
    loop {
        if let Err(error) = forget(&server).await {
            tracing::warn!("old webhooks could not be forgotten: {error}");
        }
        let due = server.storage.due_deliveries(BATCH).await.unwrap_or_else(|error| {
            tracing::error!("the webhooks that wait cannot be read: {error}");
            Vec::new()
        });
        let is_empty = due.is_empty();
        let handled = futures_util::stream::iter(due).for_each_concurrent(AT_ONCE, |delivery| handle_one(&server, delivery));
        handled.await;
        if *ending.borrow() {
            return;
        }
        if is_empty {
            let wait = server.storage.next_delivery().await.ok().flatten().map_or(LONGEST, until);
            tokio::select! {
                biased;
                _ = ending.wait_for(|ending| *ending) => return,
                () = server.kept.hooks.0.notified() => {}
                () = tokio::time::sleep(wait.clamp(Duration::from_millis(10), LONGEST)) => {}
            }
        }
    }
}

fn until(due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default()
}

async fn forget(server: &Server) -> nekro_core::Result<()> {
    let before = Timestamp::now().saturating_sub(server.settings.webhook_memory).map_err(nekro_core::Error::from)?;
    server.storage.forget_deliveries(before).await
}

async fn handle_one(server: &Server, delivery: StoredDelivery) {
    let StoredDelivery { number, plugin, hook, id, event, payload, tries } = delivery;
    let span = tracing::info_span!("webhook", plugin, webhook = hook, id);
    let came = RawDelivery::new(&id, event.as_deref(), &payload);
    let result = match server.kernel.webhook(&plugin, &hook) {
        Some(entry) => server.kernel.deliver_webhook(entry, came).instrument(span).await,
        None => Err(nekro_core::Error::new("its plugin is not running").with_code("unavailable")),
    };
    let later = |delay: Duration| Timestamp::now().saturating_add(delay).unwrap_or(Timestamp::MAX);
    let storage = &server.storage;
    let kept = match result {
        Ok(()) => storage.end_delivery(number, None).await,
        // It is not the webhook that failed.
        Err(error) if error.code() == "unavailable" => {
            storage.put_off_delivery(number, tries, later(ABSENT), error.to_string()).await
        }
        Err(error) if tries >= server.settings.webhook_retries => {
            tracing::error!(plugin, webhook = hook, id, "a webhook was given up after it failed {} times: {error}", tries + 1);
            storage.end_delivery(number, Some(error.to_string())).await
        }
        Err(error) => {
            tracing::warn!(plugin, webhook = hook, id, "a webhook failed, and is tried again: {error}");
            let delay = FIRST_DELAY.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST);
            storage.put_off_delivery(number, tries + 1, later(delay), error.to_string()).await
        }
    };
    if let Err(error) = kept {
        tracing::error!(plugin, webhook = hook, id, "what became of a webhook could not be written: {error}");
    }
}
