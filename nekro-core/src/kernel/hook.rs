//! Webhooks: which one is meant, its secret, and handing over what came.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Kernel, Running,
    describe::described,
    guard::{guarded, limited},
};
use crate::{
    call::{Body, Call, Input},
    caller::{Caller, Origin, Role},
    error::{Error, Result},
    secret::Secret,
    web::Hook,
    webhook::WebhookDecl,
};

/// A linked webhook.
#[derive(Debug)]
pub struct WebhookEntry {
    /// What it says of itself.
    pub decl: &'static WebhookDecl,
    pub(crate) plugin: usize,
    payload: OnceLock<Value>,
}

/// What came, before it was read.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RawDelivery<'a> {
    /// How the sender names it.
    pub id: &'a str,
    /// What kind of event it is, if the sender says.
    pub event: Option<&'a str>,
    /// The payload, as JSON.
    pub payload: &'a str,
}

impl<'a> RawDelivery<'a> {
    /// Names its parts.
    pub fn new(id: &'a str, event: Option<&'a str>, payload: &'a str) -> Self {
        Self { id, event, payload }
    }
}

impl WebhookEntry {
    pub(crate) fn new(decl: &'static WebhookDecl, plugin: usize) -> Self {
        Self { decl, plugin, payload: OnceLock::new() }
    }

    /// Returns the whole path, such as `/hooks/github/github`.
    pub fn path(&self) -> String {
        format!("/hooks/{}/{}", self.decl.plugin.id, self.decl.name)
    }

    /// Describes the payload.
    pub fn payload(&self) -> &Value {
        self.payload.get_or_init(|| described(self.decl.payload))
    }
}

impl Kernel {
    /// Finds a webhook by its plugin and its name. A plugin that does not run has none.
    pub fn webhook(&self, plugin: &str, name: &str) -> Option<&WebhookEntry> {
        let at = self.registry().plugin_index(plugin)?;
        self.running_plugin(at)?;
        self.registry().webhooks().iter().find(|entry| entry.plugin == at && entry.decl.name == name)
    }

    /// Returns the secret that the configuration of its plugin has for a webhook, if it has one now.
    pub fn webhook_secret(&self, entry: &WebhookEntry) -> Option<Secret<String>> {
        let plugin = self.running_plugin(entry.plugin)?;
        let caller = caller();
        let call = self.hook_call(&plugin, &caller, entry, Input::Nothing);
        guarded(|| (entry.decl.secret)(&call)).ok().flatten()
    }

    /// Hands over what came.
    ///
    /// # Errors
    ///
    /// `unavailable` if the plugin does not run, `invalid_payload`, `deadline`, `panicked`, or what the function returned.
    pub async fn deliver_webhook(&self, entry: &WebhookEntry, came: RawDelivery<'_>) -> Result<()> {
        let what = entry.decl.name;
        let Some(plugin) = self.running_plugin(entry.plugin) else {
            let message = format!("`{what}` cannot be handled: its plugin is not running");
            return Err(Error::new(message).with_code("unavailable").retryable());
        };
        let caller = caller();
        let call = self.hook_call(&plugin, &caller, entry, Input::Delivery(&came));
        let result = match entry.decl.body {
            Body::Sync(body) => guarded(|| body(&call)),
            Body::Async(body) => limited(body(&call), call.limit).await,
        };
        result.map_err(|failure| failure.into_error(what, "call_deadline"))
    }

    fn running_plugin(&self, at: usize) -> Option<Arc<Running>> {
        if self.0.live.load().halted {
            return None;
        }
        self.running(at, None)
    }

    fn hook_call<'a>(&'a self, plugin: &'a Running, caller: &'a Caller, entry: &WebhookEntry, input: Input<'a>) -> Call<'a> {
        let limit = entry.decl.deadline.unwrap_or(self.limits().call_deadline);
        Call { kernel: self, plugin, caller, limit, input }
    }
}

fn caller() -> Caller {
    Caller::new(Origin::Webhook, Role::Guest)
}

/// What the function of a webhook has as its first parameter. Implemented by [`Hook`].
#[diagnostic::on_unimplemented(
    message = "`&{Self}` is not what a webhook brings",
    label = "not a delivery",
    note = "the first parameter of a webhook is a `&Hook<T>`, where `T` has `Deserialize` and `JsonSchema`"
)]
pub trait Delivered: Sized + 'static {
    /// How it is read. The expansion names the type by this constant alone, so that a wrong one is one error, where it is written.
    const DELIVERED: DeliveredAs<Self>;
}

/// How the first parameter of a webhook is read, as function pointers.
pub struct DeliveredAs<T> {
    read: fn(&RawDelivery<'_>) -> Result<T, Error>,
    /// Describes the payload.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
    /// Tells whether a payload can be read.
    pub check: fn(&str) -> Result<(), Error>,
}

impl<T> DeliveredAs<T> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the payload is not what the function takes.
    pub fn of(&self, call: &Call<'_>) -> Result<T, Error> {
        match call.input {
            Input::Delivery(came) => (self.read)(came),
            _ => Err(Error::new("the webhook was called without its delivery")),
        }
    }
}

impl<T> fmt::Debug for DeliveredAs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliveredAs")
    }
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> Delivered for Hook<T> {
    const DELIVERED: DeliveredAs<Self> = DeliveredAs {
        read: |came| Ok(Self::new(came.id, came.event, payload(came.payload)?)),
        schema: |generator| generator.subschema_for::<T>(),
        check: |json| payload::<T>(json).map(drop),
    };
}

fn payload<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Error::new(format!("the payload is not what this webhook takes: {error}")).with_code("invalid_payload"))
}
