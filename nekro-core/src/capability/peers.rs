//! Calling the functions of other plugins: of those that the plugin requires.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::CapabilityDecl;
use crate::{
    call::Call,
    caller::{Caller, Origin},
    error::{Error, Result},
    kernel::{Gate, Kernel, WeakKernel},
    lend::{Lend, Loan},
    output::Reply,
    plugin::{Plugin, PluginDecl},
};

/// Calls the tools of other plugins: of those that the plugin requires.
///
/// Such a call is one like any other: its arguments are checked, guards and the policy have their say, and observers are told. It
/// comes from the plugin (`Origin::Plugin`) and for the person who called that; so it may do what that person may. What the other plugins may
/// touch stands in the manifest as what this one reaches through them.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Plans a day.
/// #[plugin(id = "planner")]
/// pub struct Planner;
///
/// /// Tells whether to take an umbrella.
/// #[tool]
/// async fn umbrella(peers: &Peers) -> Result<bool> {
///     let report: String = peers.call("weather.now", &serde_json::json!({ "place": "Berlin" })).await?;
///     Ok(report.contains("rain"))
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// // The plugin does not say `requires = ["weather"]`.
/// let error = Host::of::<Planner>().call("umbrella", serde_json::json!({})).unwrap_err();
/// assert_eq!(error.code(), "out_of_scope");
/// # }
/// ```
#[derive(Clone)]
pub struct Peers {
    plugin: &'static PluginDecl,
    kernel: WeakKernel,
    caller: Caller,
    gate: Option<Arc<Gate>>,
}

impl Peers {
    pub(crate) fn new(plugin: &'static PluginDecl, kernel: &Kernel, caller: &Caller) -> Self {
        Self { plugin, kernel: kernel.downgrade(), caller: caller.clone(), gate: kernel.gate(plugin.id, PEERS.name).cloned() }
    }

    /// Calls a tool, such as `notes.save`, and reads its answer.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if the plugin does not require the tool's, `too_deep` if plugins have called one another too often on the way here,
    /// `peer_answer` if the answer is not a `T`, and whatever any other caller would be told.
    pub async fn call<T: DeserializeOwned>(&self, tool: &str, arguments: &(impl Serialize + Sync + ?Sized)) -> Result<T> {
        let reply = self.reply(tool, arguments).await?;
        serde_json::from_str(&reply.json).map_err(|problem| {
            Error::new(format!("the answer of `{tool}` cannot be read as `{}`: {problem}", std::any::type_name::<T>()))
                .with_code("peer_answer")
        })
    }

    /// Calls a tool, and returns its answer as it is: with what it shows, notes and pictures.
    ///
    /// # Errors
    ///
    /// As [`Peers::call`].
    pub async fn reply(&self, tool: &str, arguments: &(impl Serialize + Sync + ?Sized)) -> Result<Reply> {
        let kernel = self.kernel.upgrade().ok_or_else(|| Error::new("the agent has stopped").with_code("ending"))?;
        let of = tool.split_once('.').map_or(tool, |(plugin, _)| plugin);
        self.requires(of)?;
        let caller = self.caller(&kernel, tool)?;
        let arguments = serde_json::to_string(arguments)?;
        // Boxed: what is called may call others in turn.
        let call = Box::pin(kernel.call(tool, &arguments, &caller));
        match &self.gate {
            Some(gate) => gate.pass(call).await,
            None => call.await,
        }
    }

    fn requires(&self, plugin: &str) -> Result<()> {
        let required = self.plugin.requires.iter().filter_map(|requirement| requirement.split_whitespace().next());
        if required.into_iter().any(|required| required == plugin) {
            return Ok(());
        }
        Err(Error::new(format!("the plugin `{}` does not require the plugin `{plugin}`", self.plugin.id))
            .with_code("out_of_scope")
            .with_hint(format!("its author adds {plugin:?} to `requires` in `#[plugin(requires = […])]`")))
    }

    fn caller(&self, kernel: &Kernel, tool: &str) -> Result<Caller> {
        let (depth, most) = (self.caller.depth.saturating_add(1), kernel.limits().peer_depth);
        if depth > most {
            return Err(Error::new(format!(
                "`{tool}` was not called: plugins have called one another {most} times on the way here"
            ))
            .with_code("too_deep")
            .with_hint("the limit is `limits.peer_depth`"));
        }
        Ok(Caller { origin: Origin::Plugin(self.plugin.id.into()), depth, ..self.caller.clone() })
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("plugin", &self.plugin.id).field("caller", &self.caller).finish_non_exhaustive()
    }
}

pub(crate) static PEERS: CapabilityDecl = CapabilityDecl {
    name: "peers",
    summary: "calls the tools of the plugins that it requires, and reaches what they reach",
    scope: None,
    provided: |_| true,
};

impl<P: Plugin> Lend<P> for Peers {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&PEERS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.plugin.decl(), call.kernel, call.caller)))
    }
}
