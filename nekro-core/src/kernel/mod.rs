//! The small kernel that runs plugins: what is linked, which of it is running, and how it is called.
//!
//! It opens no socket and reads no file. It needs a tokio runtime with a timer, and implementations of the ports.

mod breaker;
mod bucket;
mod call;
mod channel;
mod decide;
mod declarations;
mod describe;
mod entry;
mod fact;
mod gate;
mod guard;
mod hook;
mod lifecycle;
mod limits;
mod listeners;
mod mailbox;
mod offered;
mod presence;
mod problem;
mod prompt;
mod registry;
mod requires;
mod resource;
mod restriction;
mod roster;
mod route;
mod routes;
mod shared;
mod start;
mod status;
mod switch;
mod taken;
mod task;
mod tool;

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, Weak},
};

use arc_swap::ArcSwap;

use self::{
    breaker::Breaker,
    channel::Channel,
    fact::Post,
    lifecycle::{Reachable, Stopping},
    mailbox::Mailbox,
    offered::Offered,
    prompt::LastGood,
    restriction::Restrictions,
};
pub use self::{
    bucket::{Buckets, Refused},
    call::{ApprovalPort, ApprovalRequest, Called, OwnCall},
    channel::Configuration,
    decide::{Decided, Failed},
    declarations::Declarations,
    entry::{CommandEntry, EventEntry, PluginEntry, TaskEntry, ToolEntry},
    fact::{Observed, ObserverPort},
    hook::{Delivered, DeliveredAs, RawDelivery, WebhookEntry},
    lifecycle::{Running, StartProblem},
    limits::Limits,
    presence::{Presence, PresencePort},
    problem::{Problem, RegistryError},
    prompt::Section,
    registry::Registry,
    route::{FoundRoute, Given, Held, RouteEntry},
    shared::SharedFile,
    start::{Builder, StartError},
    status::{PluginStatus, Stage},
    switch::SwitchError,
    task::Ran,
    tool::{Parameter, Tool},
};
pub(crate) use self::{gate::Gate, guard::guarded};
use crate::{argument::ConfigMistake, capability::Ports, ids::SessionId};

/// The running agent's core: what hosts call and capabilities reach back into. A handle; clones are the same kernel.
///
/// ```
/// # use nekro_core::kernel::{Kernel, Registry};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let kernel = Kernel::builder(Registry::linked()?).start().await?;
/// for plugin in kernel.status() {
///     println!("{} {:?}", plugin.id, plugin.stage);
/// }
/// kernel.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Kernel(Arc<Inner>);

/// A handle that does not keep the kernel alive.
#[derive(Clone)]
pub(crate) struct WeakKernel(Weak<Inner>);

struct Inner {
    registry: Registry,
    ports: Ports,
    limits: Limits,
    runtime: tokio::runtime::Handle,
    restrictions: Restrictions,
    observer: Option<Arc<dyn ObserverPort>>,
    presence: Option<Arc<dyn PresencePort>>,
    // Whether anybody has a say in tool calls or observes them.
    calls_are_watched: bool,
    live: ArcSwap<Live>,
    offered: Offered,
    // Whoever waits for a plugin to stop is told of each change of `live`.
    changed: tokio::sync::watch::Sender<()>,
    // By handler number.
    breakers: Box<[Breaker]>,
    // By plugin index.
    mailboxes: Box<[Mailbox<Post>]>,
    // By index of the prompt section.
    last_good: Box<[LastGood]>,
    // Whoever starts, stops or reconfigures a plugin holds it; calls never do.
    switch: tokio::sync::Mutex<Switch>,
    stages: Mutex<Vec<Stage>>,
}

/// Which plugins are running: replaced as a whole, so that every call sees one consistent state.
#[derive(Clone, Default)]
struct Live {
    // By plugin index.
    plugins: Vec<Option<Arc<Running>>>,
    // By plugin index: nobody has disabled it. One that is wanted and does not run has failed, and so have its guards.
    wanted: Vec<bool>,
    // By name; only those where something is different.
    channels: HashMap<Box<str>, Channel>,
    silenced: HashSet<TypeId>,
    halted: bool,
}

/// What only the switching of plugins needs.
#[derive(Default)]
struct Switch {
    // By plugin index.
    stopping: BTreeMap<usize, Stopping>,
    // Have started, but cannot be reached yet.
    started: Vec<(usize, Reachable)>,
    configs: BTreeMap<usize, Result<Configuration, ConfigMistake>>,
}

impl Kernel {
    /// Returns what is linked.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Returns what the host implements.
    pub fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// Returns the limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn downgrade(&self) -> WeakKernel {
        WeakKernel(Arc::downgrade(&self.0))
    }

    fn live(&self) -> Arc<Live> {
        self.0.live.load_full()
    }

    /// Returns a plugin as it is for a session, if it is running. Whoever waits holds this and no [`Live`]: that would keep the others
    /// from stopping.
    #[inline]
    fn running(&self, plugin: usize, session: Option<&SessionId>) -> Option<Arc<Running>> {
        let live = self.0.live.load();
        live.plugin(live.channel(session), plugin).cloned()
    }
}

impl WeakKernel {
    pub(crate) fn upgrade(&self) -> Option<Kernel> {
        self.0.upgrade().map(Kernel)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(&self.0.registry).finish()
    }
}
