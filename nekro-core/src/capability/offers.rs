//! Offering tools that are not linked.

use std::fmt;

use super::CapabilityDecl;
use crate::{
    call::Call,
    error::{Error, Result},
    kernel::{Kernel, WeakKernel},
    lend::{Lend, Loan},
    offered::{NotOffered, OfferedTool},
    plugin::{Plugin, PluginDecl},
};

/// Offers tools that are not linked, for a plugin that knows of them only while it runs.
///
/// Such a tool is one like any other: it is listed and called by one decision, the policy and the guards have their say, its time is
/// limited, observers are told. What cannot be known of it is what stands in the manifest of a linked one; so the audit says of the plugin
/// that it takes `offers`. The tools are gone when the plugin stops. How many there may be is `limits.offered_tools`.
///
/// ```
/// use std::sync::Arc;
///
/// use nekro_core::{BoxFuture, IntoReply, OfferedBody, OfferedTool, Offers, Reply, prelude::*};
/// use serde_json::{Map, Value, json};
///
/// /// Has tools that stand in its settings.
/// #[plugin(id = "shelf")]
/// pub struct Shelf {
///     /// What each tool answers.
///     answers: std::collections::BTreeMap<String, String>,
/// }
///
/// struct Says(String);
///
/// impl OfferedBody for Says {
///     fn check(&self, _: &Map<String, Value>) -> Result<()> {
///         Ok(())
///     }
///
///     fn call<'a>(&'a self, _: Map<String, Value>, _: &'a Caller, _: &'a Progress) -> BoxFuture<'a, Result<Reply>> {
///         Box::pin(async { self.0.clone().into_reply() })
///     }
/// }
///
/// #[init]
/// fn offer(shelf: &Shelf, offers: &Offers) -> Result<()> {
///     let tool = |(name, answer): (&String, &String)| OfferedTool::new(name, "Says something.", Arc::new(Says(answer.clone())));
///     offers.set("shelf", shelf.answers.iter().map(tool).collect())
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// let host = Host::builder::<Shelf>().config(json!({ "answers": { "tea": "Green." } })).start();
/// assert_eq!(host.call_as::<String>("tea", json!({})).unwrap(), "Green.");
/// # }
/// ```
#[derive(Clone)]
pub struct Offers {
    plugin: &'static PluginDecl,
    kernel: WeakKernel,
}

impl Offers {
    pub(crate) fn new(plugin: &'static PluginDecl, kernel: &Kernel) -> Self {
        Self { plugin, kernel: kernel.downgrade() }
    }

    /// Offers these tools, in place of those that the plugin offered under the same group before. Calls under way go on. An empty list takes
    /// the group back.
    ///
    /// # Errors
    ///
    /// `invalid_name`, `name_taken`, and `too_many` if the plugin would offer more than `limits.offered_tools`: then nothing is changed.
    pub fn set(&self, group: &str, tools: Vec<OfferedTool>) -> Result<()> {
        self.kernel()?.offer(self.plugin, group, tools)
    }

    /// Says which tools of a group are not offered, and why, in place of what was said before. The operator is shown it.
    pub fn not_offered(&self, group: &str, which: Vec<NotOffered>) {
        if let Ok(kernel) = self.kernel() {
            kernel.note_not_offered(self.plugin, group, which);
        }
    }

    fn kernel(&self) -> Result<Kernel> {
        self.kernel.upgrade().ok_or_else(|| Error::new("the agent has stopped").with_code("ending"))
    }
}

impl fmt::Debug for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Offers").field(&self.plugin.id).finish()
    }
}

pub(crate) static OFFERS: CapabilityDecl = CapabilityDecl {
    name: "offers",
    summary: "offers tools that are not linked, which it knows of only while it runs",
    scope: None,
    provided: |_| true,
};

impl<P: Plugin> Lend<P> for Offers {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&OFFERS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.plugin.decl(), call.kernel)))
    }
}
