//! Keys, passwords and tokens that the operator gives to a plugin: those that it declares, and no others.

use std::{fmt, sync::Arc};

use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    ids::PluginId,
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
    secret::Secret,
};

/// Keys, passwords and tokens that the operator gives to a plugin: those that it declares, and no others.
///
/// What it returns cannot be printed, and is taken out of the log. A key that is only sent to one host need not be known to the plugin at
/// all: the operator binds it to that host, see [`Http`](crate::Http).
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Issues.
/// #[plugin(id = "issues", secrets = ["github_token"])]
/// pub struct Issues;
///
/// /// Tells how long the token is.
/// #[tool]
/// async fn length(secrets: &Secrets) -> Result<usize> {
///     Ok(secrets.get("github_token").await?.expose().len())
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::builder::<Issues>().secret("github_token", "s3cret").start();
/// assert_eq!(host.call_as::<usize>("length", json!({})).unwrap(), 6);
/// assert_eq!(Host::of::<Issues>().call("length", json!({})).unwrap_err().code(), "no_secret");
/// # }
/// ```
#[derive(Clone)]
pub struct Secrets {
    plugin: &'static PluginDecl,
    port: Arc<dyn SecretsPort>,
}

/// Where secrets are kept. Implemented by the host.
pub trait SecretsPort: Send + Sync {
    /// Returns a secret that the operator gave to a plugin; `None` if there is none.
    fn get(&self, plugin: &PluginId, name: &str) -> BoxFuture<'_, Result<Option<Secret<String>>>>;

    /// Says how the operator gives one.
    fn way(&self, plugin: &PluginId, name: &str) -> String;
}

impl Secrets {
    /// Makes a handle over a port, for what a plugin declares.
    pub fn new(plugin: &'static PluginDecl, port: Arc<dyn SecretsPort>) -> Self {
        Self { plugin, port }
    }

    /// Returns a secret.
    ///
    /// # Errors
    ///
    /// `no_secret` if the operator has not given it, with the way to do so; `out_of_scope` if the plugin does not declare it.
    pub async fn get(&self, name: &str) -> Result<Secret<String>> {
        self.find(name).await?.ok_or_else(|| {
            Error::new(format!("the plugin `{}` needs the secret `{name}`, and has not been given it", self.plugin.id))
                .with_code("no_secret")
                .with_hint(self.port.way(&self.plugin.id.into(), name))
        })
    }

    /// Returns a secret that a plugin can do without; `None` if the operator has not given it.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if the plugin does not declare it, and if the place where it is kept cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<Secret<String>>> {
        if !self.plugin.scope(SECRETS.name).contains(&name) {
            return Err(Error::new(format!("the plugin `{}` does not declare the secret `{name}`", self.plugin.id))
                .with_code("out_of_scope")
                .with_hint(format!("its author adds {name:?} to `secrets` in `#[plugin(secrets = […])]`")));
        }
        self.port.get(&self.plugin.id.into(), name).await
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.plugin.scope(SECRETS.name)).finish()
    }
}

static SECRETS: CapabilityDecl = CapabilityDecl {
    name: "secrets",
    summary: "reads secrets that the operator gave it",
    scope: Some(
        "`&Secrets` gives the secrets that the plugin declares: add them to its attribute, such as `#[plugin(secrets = [\"github_token\"])]`",
    ),
    provided: |ports| ports.has::<dyn SecretsPort>(),
};

impl<P: Plugin> Lend<P> for Secrets {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&SECRETS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn SecretsPort>(&SECRETS, |gated| Arc::new(gated))?;
        Ok(Loan::Handle(Self::new(call.plugin.decl(), port)))
    }
}
