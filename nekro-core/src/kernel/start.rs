//! Starting the linked plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use serde_json::json;

use super::{
    Breaker, Configuration, Inner, Kernel, LastGood, Limits, Live, Mailbox, ObserverPort, Offered, PluginEntry, PresencePort,
    Registry, Restrictions, Stage, StartProblem, Switch, lifecycle::Discovered,
};
use crate::{
    argument::{ConfigMistake, suggest},
    capability::{Ports, STORE, StorePort},
    event::facts::{PluginFailed, PluginStarted},
    ids::PluginId,
    policy::Policy,
};

/// What a kernel is started with.
pub struct Builder {
    registry: Registry,
    ports: Ports,
    limits: Limits,
    policy: Option<Policy>,
    configs: BTreeMap<String, Result<Configuration, ConfigMistake>>,
    disabled: BTreeSet<String>,
    disabled_in: BTreeMap<String, BTreeSet<String>>,
}

/// Why a kernel did not start. Read by the operator.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration or the list of disabled plugins names a plugin that is not linked.
    UnknownPlugin {
        /// The name.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// Plugins could not start, and the operator wants all or none.
    Plugins(Vec<(&'static str, String)>),
    /// There is no tokio runtime.
    NoRuntime,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlugin { name, meant } => {
                write!(f, "no plugin `{name}` is linked")?;
                meant.as_ref().map_or(Ok(()), |meant| write!(f, ": did you mean `{meant}`?"))
            }
            Self::Plugins(failures) => {
                f.write_str("not every plugin could start")?;
                failures.iter().try_for_each(|(plugin, problem)| write!(f, "\n  - {plugin}: {problem}"))
            }
            Self::NoRuntime => f.write_str("the kernel needs a tokio runtime"),
        }
    }
}

impl std::error::Error for StartError {}

// The configurations may hold secrets.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("registry", &self.registry)
            .field("ports", &self.ports)
            .field("limits", &self.limits)
            .field("configured", &self.configs.keys())
            .field("disabled", &self.disabled)
            .field("disabled_in", &self.disabled_in)
            .finish()
    }
}

impl Builder {
    /// Gives the implementations of the ports.
    #[must_use]
    pub fn ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Says who may call what, and what the plugins may use. What the plugins may take is compared with what is linked by
    /// [`Policy::check`], when the program is built.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Sets the configuration of a plugin.
    #[must_use]
    pub fn configure(mut self, plugin: impl Into<String>, config: impl Into<Configuration>) -> Self {
        self.configs.insert(plugin.into(), Ok(config.into()));
        self
    }

    /// Says that a plugin has no configuration that it could read: it fails to start with this reason, and its guards fail closed.
    #[must_use]
    pub fn misconfigured(mut self, plugin: impl Into<String>, mistake: ConfigMistake) -> Self {
        self.configs.insert(plugin.into(), Err(mistake));
        self
    }

    /// Leaves a plugin out: it is not constructed, not listed and not callable until it is enabled.
    #[must_use]
    pub fn disable(mut self, plugin: impl Into<String>) -> Self {
        self.disabled.insert(plugin.into());
        self
    }

    /// Leaves plugins out in one channel, as [`Kernel::disable_in`] says.
    #[must_use]
    pub fn disable_in(mut self, channel: impl Into<String>, plugins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.disabled_in.entry(channel.into()).or_default().extend(plugins.into_iter().map(Into::into));
        self
    }

    /// Starts the plugins, each after those it requires. One that fails is reported by [`Kernel::status`], and the others run.
    ///
    /// # Errors
    ///
    /// If a name is unknown, or there is no tokio runtime.
    pub async fn start(self) -> Result<Kernel, StartError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let Self { registry, ports, limits, policy, configs, disabled, disabled_in } = self;
        let index = |name: &String| {
            registry.plugin_index(name).ok_or_else(|| StartError::UnknownPlugin {
                name: name.clone(),
                meant: suggest(name, registry.plugins().iter().map(|entry| entry.decl.id)).map(str::to_owned),
            })
        };
        let disabled = disabled.iter().map(index).collect::<Result<BTreeSet<_>, _>>()?;
        let off =
            disabled_in.into_iter().map(|(channel, plugins)| Ok((channel, plugins.iter().map(index).collect::<Result<_, _>>()?)));
        let off = off.collect::<Result<BTreeMap<_, BTreeSet<_>>, _>>()?;
        let configs = configs.into_iter().map(|(name, config)| Ok((index(&name)?, config))).collect::<Result<_, _>>()?;

        let count = registry.plugins().len();
        let observer = ports.get::<dyn ObserverPort>().ok().cloned();
        let presence = ports.get::<dyn PresencePort>().ok().cloned();
        let order = registry.start_order().to_vec();
        let wanted = (0..count).map(|at| !disabled.contains(&at)).collect();
        let mut live = Live { plugins: vec![None; count], wanted, ..Live::default() };
        live.set_off(&off);
        let kernel = Kernel(Arc::new(Inner {
            live: ArcSwap::from_pointee(live),
            offered: Offered::default(),
            changed: tokio::sync::watch::Sender::new(()),
            breakers: (0..registry.handler_count()).map(|_| Breaker::default()).collect(),
            mailboxes: (0..count).map(|_| Mailbox::default()).collect(),
            last_good: registry.prompts().map(|_| LastGood::default()).collect(),
            switch: tokio::sync::Mutex::new(Switch { configs, ..Switch::default() }),
            stages: Mutex::new(vec![Stage::Disabled; count]),
            calls_are_watched: observer.as_ref().is_some_and(|observer| observer.wants_calls()) || registry.watches_calls(),
            observer,
            restrictions: Restrictions::new(policy, &registry, &limits),
            presence,
            registry,
            ports,
            limits,
            runtime,
        }));
        let mut switch = kernel.0.switch.lock().await;
        for at in order.into_iter().filter(|at| !disabled.contains(at)) {
            // What failed is in the status.
            let _ = kernel.start_plugin(&mut switch, at).await;
        }
        kernel.publish(&mut switch);
        drop(switch);
        Ok(kernel)
    }

    /// Starts the plugins, all or none: if one fails, those that had started are stopped again.
    ///
    /// # Errors
    ///
    /// If a plugin fails, a name is unknown, or there is no tokio runtime.
    pub async fn start_all(self) -> Result<Kernel, StartError> {
        let kernel = self.start().await?;
        let failures: Vec<_> = kernel
            .status()
            .into_iter()
            .filter_map(|plugin| match plugin.stage {
                Stage::Failed { reason } => Some((plugin.id, reason)),
                _ => None,
            })
            .collect();
        if failures.is_empty() {
            return Ok(kernel);
        }
        kernel.stop().await;
        Err(StartError::Plugins(failures))
    }
}

impl Kernel {
    /// Begins to describe a kernel for what is linked.
    pub fn builder(registry: Registry) -> Builder {
        Builder {
            registry,
            ports: Ports::new(),
            limits: Limits::default(),
            policy: None,
            configs: BTreeMap::new(),
            disabled: BTreeSet::new(),
            disabled_in: BTreeMap::new(),
        }
    }

    /// Takes one plugin through its stages, up to the point where [`Kernel::publish`] makes it reachable.
    pub(super) async fn start_plugin(&self, switch: &mut Switch, at: usize) -> Result<(), StartProblem> {
        let id = self.registry().plugins()[at].decl.id;
        let brought_up = self.bring_up(switch, at).await;
        if let Err(problem) = &brought_up {
            let reason = problem.to_string();
            tracing::error!(plugin = id, "could not start: {reason}");
            self.take_back_offers(at);
            self.set_stage(at, Stage::Failed { reason: reason.clone() });
            // Those that have started before it are told.
            self.publish(switch);
            self.emit(PluginFailed { plugin: id.into(), reason });
        }
        brought_up
    }

    async fn bring_up(&self, switch: &mut Switch, at: usize) -> Result<(), StartProblem> {
        let entry = &self.registry().plugins()[at];
        if entry.init.is_some() {
            // Its `#[init]` may emit events: those that started before it hear them.
            self.publish(switch);
        }
        if let Some(missing) = entry.requires.iter().find(|required| !switch.stopping.contains_key(required)) {
            return Err(StartProblem::Requires(self.registry().plugins()[*missing].decl.id));
        }
        if let Some(missing) = entry.capabilities.iter().find(|capability| !(capability.provided)(self.ports())) {
            return Err(StartProblem::Unavailable(missing.name));
        }
        let config = match switch.configs.get(&at) {
            None => &Configuration::new(json!({})),
            Some(Ok(config)) => config,
            Some(Err(mistake)) => return Err(StartProblem::Config(mistake.clone())),
        };
        let configured = Discovered { entry }.configure(config)?;
        self.migrate(entry).await?;
        let initialised = configured.initialise(self).await?;
        let (reachable, stopping) = initialised.run();
        switch.stopping.insert(at, stopping);
        switch.started.push((at, reachable));
        Ok(())
    }

    /// Brings what a plugin has kept to the shape that it works with.
    async fn migrate(&self, entry: &PluginEntry) -> Result<(), StartProblem> {
        if !entry.capabilities.iter().any(|capability| capability.name == STORE.name) {
            return Ok(());
        }
        let told = |error: crate::Error| {
            StartProblem::Store(match error.hint() {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            })
        };
        let store = self.ports().get::<dyn StorePort>().map_err(told)?;
        store.migrate(&PluginId::from(entry.decl.id), entry.decl.migrations).await.map_err(told)
    }

    /// Makes the plugins reachable that have started. All at once, for each change copies the list of all plugins.
    pub(super) fn publish(&self, switch: &mut Switch) {
        if switch.started.is_empty() {
            return;
        }
        self.set_live(|live| {
            for (at, reachable) in &switch.started {
                live.insert(*at, reachable);
            }
        });
        for (at, reachable) in switch.started.drain(..) {
            self.set_stage(at, Stage::Running);
            self.emit(PluginStarted { plugin: reachable.everywhere.id().clone() });
        }
    }
}
