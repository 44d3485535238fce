//! The stages of a plugin, as types: discovered, configured, initialised, running, stopped.
//!
//! Each stage has only what holds at it, and the step to the next consumes it. A plugin that is disabled is discovered and nothing
//! more: its configuration is not read and its state not made.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{
    Configuration, Kernel,
    guard::{Failure, drop_guarded, guarded, limited},
};
use crate::{
    argument::ConfigMistake,
    call::{Body, Call, Input},
    caller::Caller,
    ids::PluginId,
    init::{HookDecl, State},
    lend::LentKind,
    plugin::PluginDecl,
};

/// A plugin's configuration or state, whose destructor may panic; nothing if it has none.
#[derive(Clone, Default)]
struct Made(Option<Arc<dyn Any + Send + Sync>>);

impl Drop for Made {
    fn drop(&mut self) {
        drop_guarded(self.0.take());
    }
}

/// The configurations of a plugin, as its own reader has read them.
#[derive(Clone, Default)]
pub(crate) struct Configs {
    everywhere: Made,
    channels: Vec<(String, Made)>,
}

impl Configs {
    /// Reads all of them.
    pub(crate) fn read(decl: &PluginDecl, configuration: &Configuration) -> Result<Self, ConfigMistake> {
        let read = |config: &Value| Ok(Made(Some((decl.config.read)(&config.to_string())?.into())));
        let everywhere = read(&configuration.everywhere)?;
        let channels = configuration.channels.iter().map(|(channel, config)| {
            let in_channel = |mistake: ConfigMistake| ConfigMistake {
                problem: format!("in the channel `{channel}`: {}", mistake.problem),
                ..mistake
            };
            Ok((channel.clone(), read(config).map_err(in_channel)?))
        });
        Ok(Self { everywhere, channels: channels.collect::<Result<_, _>>()? })
    }
}

/// A plugin that can be called, with what it is in each channel where it has another configuration.
pub(crate) struct Reachable {
    pub(crate) everywhere: Arc<Running>,
    pub(crate) channels: Vec<(String, Arc<Running>)>,
}

/// A plugin that is linked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Discovered<'r> {
    pub(crate) entry: &'r super::PluginEntry,
}

/// A plugin whose configuration was read.
pub(crate) struct Configured<'r> {
    entry: &'r super::PluginEntry,
    configs: Configs,
}

/// A plugin whose state was made. Nobody can reach it yet.
pub(crate) struct Initialised {
    decl: &'static PluginDecl,
    id: PluginId,
    configs: Configs,
    state: Made,
}

/// A plugin that can be called.
pub struct Running {
    decl: &'static PluginDecl,
    id: PluginId,
    config: Made,
    state: Made,
    // Dropped with the last call that uses this plugin as it is; see `Stopping`.
    _in_use: oneshot::Sender<()>,
}

/// A plugin that new calls no longer find.
pub(crate) struct Stopping {
    last: Initialised,
    // One for each configuration that the plugin has, and one for each older one that calls may still be using.
    unused: Vec<oneshot::Receiver<()>>,
}

/// Why a plugin could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartProblem {
    /// Its configuration is wrong.
    Config(ConfigMistake),
    /// The host has not implemented what it needs.
    Unavailable(&'static str),
    /// A plugin that it requires did not start.
    Requires(&'static str),
    /// What it has kept is not as it needs it.
    Store(String),
    /// Its `#[init]` function failed.
    Init(String),
}

impl fmt::Display for StartProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(mistake) => write!(f, "its configuration is wrong: {mistake}"),
            Self::Unavailable(name) => write!(f, "this agent has no `{name}`, which it takes"),
            Self::Requires(id) => write!(f, "the plugin `{id}`, which it requires, is not running"),
            Self::Store(message) => f.write_str(message),
            Self::Init(message) => write!(f, "its `#[init]` function failed: {message}"),
        }
    }
}

impl<'r> Discovered<'r> {
    /// Reads the configurations.
    pub(crate) fn configure(self, configuration: &Configuration) -> Result<Configured<'r>, StartProblem> {
        let configs = Configs::read(self.entry.decl, configuration).map_err(StartProblem::Config)?;
        Ok(Configured { entry: self.entry, configs })
    }
}

impl Configured<'_> {
    /// Calls `#[init]`, with the configuration that holds everywhere: the state is the same in every channel. If it fails, `#[cleanup]` is called for what it may have left, unless that needs the state.
    pub(crate) async fn initialise(self, kernel: &Kernel) -> Result<Initialised, StartProblem> {
        let entry = self.entry;
        let mut plugin =
            Initialised { decl: entry.decl, id: PluginId::from(entry.decl.id), configs: self.configs, state: Made::default() };
        if let Some(init) = entry.init {
            match plugin.call(kernel, init, kernel.limits().init_deadline).await {
                Ok(state) => plugin.state = Made(Some(state)),
                Err(failure) => {
                    plugin.clean_up(kernel, entry.cleanup).await;
                    let failure = failure.into_error(&format!("{}'s #[init]", entry.decl.id), "init_deadline");
                    return Err(StartProblem::Init(failure.to_string()));
                }
            }
        }
        Ok(plugin)
    }
}

impl Initialised {
    /// Makes the plugin reachable, and gives the handle by which it is stopped.
    pub(crate) fn run(self) -> (Reachable, Stopping) {
        let mut unused = Vec::new();
        let mut running = |config: &Made| {
            let (in_use, not_in_use) = oneshot::channel();
            unused.push(not_in_use);
            let Self { decl, id, state, .. } = &self;
            Arc::new(Running { decl, id: id.clone(), config: config.clone(), state: state.clone(), _in_use: in_use })
        };
        let everywhere = running(&self.configs.everywhere);
        let channels = self.configs.channels.iter().map(|(name, config)| (name.clone(), running(config))).collect();
        (Reachable { everywhere, channels }, Stopping { last: self, unused })
    }

    async fn call(&self, kernel: &Kernel, hook: &HookDecl, limit: Duration) -> Result<State, Failure> {
        // Nobody else can reach a plugin that is starting or stopping, so this handle is thrown away at once.
        let (in_use, _) = oneshot::channel();
        let plugin = Running {
            decl: self.decl,
            id: self.id.clone(),
            config: self.configs.everywhere.clone(),
            state: self.state.clone(),
            _in_use: in_use,
        };
        let caller = Caller::host();
        let call = Call { kernel, plugin: &plugin, caller: &caller, limit, input: Input::Nothing };
        match hook.body {
            Body::Sync(body) => guarded(|| body(&call)),
            Body::Async(body) => limited(body(&call), limit).await,
        }
    }

    async fn clean_up(&self, kernel: &Kernel, cleanup: Option<&HookDecl>) {
        let Some(cleanup) = cleanup else { return };
        if self.state.0.is_none() && cleanup.lent.iter().any(|lent| lent.kind == LentKind::State) {
            return;
        }
        if let Err(failure) = self.call(kernel, cleanup, kernel.limits().cleanup_deadline).await {
            tracing::warn!(plugin = self.decl.id, "cleaning up failed: {failure}");
        }
    }
}

impl Stopping {
    /// Waits for the calls under way, for a while, and calls `#[cleanup]`. Whoever calls it has dropped every [`Running`] of its own.
    pub(crate) async fn stop(self, kernel: &Kernel) -> Stopped {
        let limit = kernel.limits().cleanup_deadline;
        let unused = async {
            for unused in self.unused {
                // The sender is dropped and never used, so this is always the error that says so.
                let _ = unused.await;
            }
        };
        if tokio::time::timeout(limit, unused).await.is_err() {
            tracing::warn!(plugin = self.last.decl.id, "calls were still running after {limit:?} (`limits.cleanup_deadline`)");
        }
        let entry = kernel.registry().plugin(self.last.decl.id);
        self.last.clean_up(kernel, entry.and_then(|entry| entry.cleanup)).await;
        Stopped
    }

    /// Replaces the configurations. Calls under way go on with the old ones.
    pub(crate) fn reconfigure(&mut self, configs: Configs) -> Reachable {
        let Initialised { decl, id, state, .. } = &self.last;
        let (reachable, next) = Initialised { decl, id: id.clone(), configs, state: state.clone() }.run();
        self.last = next.last;
        self.unused.retain_mut(|unused| unused.try_recv() == Err(TryRecvError::Empty));
        self.unused.extend(next.unused);
        reachable
    }
}

/// A plugin that has cleaned up.
#[derive(Debug)]
pub(crate) struct Stopped;

impl Running {
    pub(crate) fn decl(&self) -> &'static PluginDecl {
        self.decl
    }

    pub(crate) fn id(&self) -> &PluginId {
        &self.id
    }

    pub(crate) fn config(&self) -> &(dyn Any + Send + Sync) {
        self.config.0.as_deref().unwrap_or(&())
    }

    pub(crate) fn state(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.state.0.as_deref()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("id", &self.id).finish_non_exhaustive()
    }
}
