//! Environment variables: those that the plugin declares, and no others.

use std::{fmt, sync::Arc};

use super::CapabilityDecl;
use crate::{
    call::Call,
    error::{Error, Result},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Environment variables: those that the plugin declares, and no others.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Speaks the operator's language.
/// #[plugin(id = "tongue", env = ["LANG"])]
/// pub struct Tongue;
///
/// /// Returns the language of the machine.
/// #[tool]
/// fn language(env: &Env) -> Result<String> {
///     Ok(env.get("LANG")?.unwrap_or_else(|| "C".to_owned()))
/// }
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Env {
    plugin: &'static PluginDecl,
    port: Arc<dyn EnvPort>,
}

/// Where environment variables come from. Implemented by the host.
pub trait EnvPort: Send + Sync {
    /// Returns a variable; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// If its value is not text.
    fn get(&self, name: &str) -> Result<Option<String>>;
}

impl Env {
    /// Makes a handle over a port, for what a plugin declares.
    pub fn new(plugin: &'static PluginDecl, port: Arc<dyn EnvPort>) -> Self {
        Self { plugin, port }
    }

    /// Returns a variable; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if the plugin does not declare it, `not_text` if its value is not text.
    pub fn get(&self, name: &str) -> Result<Option<String>> {
        if self.plugin.scope(ENV.name).contains(&name) {
            return self.port.get(name);
        }
        Err(Error::new(format!("the plugin `{}` does not declare the environment variable `{name}`", self.plugin.id))
            .with_code("out_of_scope")
            .with_hint(format!("its author adds {name:?} to `env` in `#[plugin(env = […])]`")))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Env").field(&self.plugin.scope(ENV.name)).finish()
    }
}

static ENV: CapabilityDecl = CapabilityDecl {
    name: "env",
    summary: "reads environment variables",
    scope: Some(
        "`&Env` reads the variables that the plugin declares: add them to its attribute, such as `#[plugin(env = [\"LANG\"])]`",
    ),
    provided: |ports| ports.has::<dyn EnvPort>(),
};

impl<P: Plugin> Lend<P> for Env {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&ENV);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.plugin.decl(), Arc::clone(call.kernel.ports().get::<dyn EnvPort>()?))))
    }
}
