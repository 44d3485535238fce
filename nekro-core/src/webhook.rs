//! What `#[webhook]` says of a function: something that another system tells the plugin.

use std::time::Duration;

use schemars::{Schema, SchemaGenerator};

use crate::{
    call::{Body, Call},
    error::Error,
    lend::LentDecl,
    location::Location,
    plugin::PluginDecl,
    secret::Secret,
    web::Signature,
};

/// The declaration of a webhook.
#[derive(Debug)]
pub struct WebhookDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The name within the plugin.
    pub name: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// How the sender proves itself.
    pub signature: Signature,
    /// Returns the secret that the configuration has for it.
    pub secret: for<'a> fn(&'a Call<'a>) -> Result<Option<Secret<String>>, Error>,
    /// How long handling it may take; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// Describes the payload.
    pub payload: fn(&mut SchemaGenerator) -> Schema,
    /// Tells whether a payload can be read.
    pub check: fn(&str) -> Result<(), Error>,
    /// The function.
    pub body: Body<Result<(), Error>>,
    /// Where it stands.
    pub location: Location,
}

inventory::collect!(&'static WebhookDecl);
