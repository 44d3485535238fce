//! Enabling, disabling and reconfiguring plugins while the agent runs.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    sync::PoisonError,
};

use super::{Configuration, Kernel, Live, Stage, StartProblem, lifecycle::Configs};
use crate::{
    argument::{ConfigMistake, suggest},
    event::facts::{ConfigChanged, PluginStopped},
};

/// Why a plugin could not be switched or reconfigured. Nothing was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SwitchError {
    /// No such plugin is linked.
    UnknownPlugin {
        /// The name.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// No such event is linked.
    UnknownEvent {
        /// The name.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// A plugin that runs requires this one.
    RequiredBy(&'static str),
    /// It could not start.
    Start(StartProblem),
    /// The new configuration is wrong.
    Config(ConfigMistake),
}

impl fmt::Display for SwitchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = |f: &mut fmt::Formatter<'_>, what, name, meant: &Option<String>| {
            write!(f, "no {what} `{name}` is linked")?;
            meant.as_ref().map_or(Ok(()), |meant| write!(f, ": did you mean `{meant}`?"))
        };
        match self {
            Self::UnknownPlugin { name, meant } => unknown(f, "plugin", name, meant),
            Self::UnknownEvent { name, meant } => unknown(f, "event", name, meant),
            Self::RequiredBy(plugin) => write!(f, "the plugin `{plugin}` requires it: disable that one first"),
            Self::Start(problem) => problem.fmt(f),
            Self::Config(mistake) => mistake.fmt(f),
        }
    }
}

impl std::error::Error for SwitchError {}

impl Kernel {
    /// Starts a plugin that is disabled, or that failed. Does nothing if it is running.
    ///
    /// # Errors
    ///
    /// If there is no such plugin, or it cannot start.
    pub async fn enable(&self, plugin: &str) -> Result<(), SwitchError> {
        let at = self.plugin_index(plugin)?;
        let kernel = self.clone();
        let started = self.to_the_end(async move {
            let mut switch = kernel.0.switch.lock().await;
            if kernel.running(at, None).is_some() {
                return Ok(());
            }
            kernel.set_live(|live| live.wanted[at] = true);
            kernel.start_plugin(&mut switch, at).await?;
            kernel.publish(&mut switch);
            Ok(())
        });
        let ending = || Err(StartProblem::Init("the agent is ending".to_owned()));
        started.await.unwrap_or_else(ending).map_err(SwitchError::Start)
    }

    /// Stops a plugin: from the next call on nobody finds it (its guards are gone with it, on purpose), what waits for it is thrown away, what is under way may end, and then it
    /// cleans up. Does nothing if it is not running.
    ///
    /// # Errors
    ///
    /// If there is no such plugin, or another one that is running requires it.
    pub async fn disable(&self, plugin: &str) -> Result<(), SwitchError> {
        let at = self.plugin_index(plugin)?;
        let kernel = self.clone();
        let stopped = self.to_the_end(async move {
            let mut switch = kernel.0.switch.lock().await;
            let mut plugins = kernel.registry().plugins().iter().enumerate();
            match plugins.find(|(other, entry)| entry.requires.contains(&at) && kernel.running(*other, None).is_some()) {
                Some((_, dependent)) => Err(SwitchError::RequiredBy(dependent.decl.id)),
                None => {
                    kernel.set_live(|live| live.wanted[at] = false);
                    kernel.take_down(&mut switch, at).await;
                    Ok(())
                }
            }
        });
        stopped.await.unwrap_or(Ok(()))
    }

    /// Does something to its end, also if whoever asked for it no longer waits: a plugin is never left half started or half stopped.
    /// `None` if the runtime is ending.
    async fn to_the_end<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        match self.0.runtime.spawn(work).await {
            Ok(done) => Some(done),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(_) => None,
            },
        }
    }

    pub(super) async fn take_down(&self, switch: &mut super::Switch, at: usize) {
        self.set_live(|live| live.remove(at));
        self.0.mailboxes[at].clear();
        self.take_back_offers(at);
        self.set_stage(at, Stage::Disabled);
        if let Some(stopping) = switch.stopping.remove(&at) {
            let super::lifecycle::Stopped = stopping.stop(self).await;
            self.forget(at);
            self.emit(PluginStopped { plugin: self.registry().plugins()[at].decl.id.into() });
        }
    }

    /// Forgets what was known of a plugin while it ran: it starts anew.
    fn forget(&self, at: usize) {
        let listeners = self.registry().events().iter().flat_map(|event| &event.listeners);
        listeners.filter(|listener| listener.plugin == at).for_each(|listener| self.0.breakers[listener.number].close());
        let sections = self.registry().prompt_entries().iter().zip(&self.0.last_good);
        sections.filter(|((_, plugin), _)| *plugin == at).for_each(|(_, last_good)| last_good.clear());
    }

    /// Stops every plugin, each before those it requires. Facts that wait are handled first, for at most `limits.cleanup_deadline`.
    pub async fn stop(&self) {
        let kernel = self.clone();
        let stopped = self.to_the_end(async move {
            let mut switch = kernel.0.switch.lock().await;
            let limit = kernel.limits().cleanup_deadline;
            if tokio::time::timeout(limit, kernel.idle()).await.is_err() {
                tracing::warn!("facts were still waiting after {limit:?} (`limits.cleanup_deadline`)");
            }
            for at in kernel.registry().start_order().iter().rev() {
                kernel.take_down(&mut switch, *at).await;
            }
        });
        stopped.await;
    }

    /// Says which plugins are off in which channels, in place of what was said before: `{ channel: [plugin, …] }`. There they bring no
    /// tool, command, prompt section or handler, and their guards are gone too, on purpose. A channel is named as in [`Configuration`].
    ///
    /// # Errors
    ///
    /// If there is no such plugin: then nothing was changed.
    pub fn disable_in(&self, channels: &BTreeMap<String, BTreeSet<String>>) -> Result<(), SwitchError> {
        let indices =
            |plugins: &BTreeSet<String>| plugins.iter().map(|plugin| self.plugin_index(plugin)).collect::<Result<_, _>>();
        let off = channels.iter().map(|(channel, plugins)| Ok((channel.clone(), indices(plugins)?)));
        let off = off.collect::<Result<BTreeMap<_, BTreeSet<_>>, SwitchError>>()?;
        self.set_live(|live| live.set_off(&off));
        Ok(())
    }

    /// Replaces the configuration of a plugin as a whole, everywhere and in every channel; the next call sees the new one. A plugin that
    /// is not running is started with it later.
    ///
    /// # Errors
    ///
    /// If there is no such plugin, or the configuration is wrong: then the old one stays.
    pub async fn reconfigure(&self, plugin: &str, config: impl Into<Configuration> + Send) -> Result<(), SwitchError> {
        let at = self.plugin_index(plugin)?;
        let mut switch = self.0.switch.lock().await;
        let config = config.into();
        let read = Configs::read(self.registry().plugins()[at].decl, &config).map_err(SwitchError::Config)?;
        if let Some(stopping) = switch.stopping.get_mut(&at) {
            let reachable = stopping.reconfigure(read);
            self.set_live(|live| live.insert(at, &reachable));
        }
        switch.configs.insert(at, Ok(config));
        drop(switch);
        self.emit(ConfigChanged { plugin: self.registry().plugins()[at].decl.id.into() });
        Ok(())
    }

    /// Stops calling the handlers of an event, whatever their plugin. A decision without its handlers is neutral.
    ///
    /// # Errors
    ///
    /// If there is no such event.
    pub fn silence(&self, event: &str) -> Result<(), SwitchError> {
        let of = self.event_type(event)?;
        self.set_live(|live| {
            live.silenced.insert(of);
        });
        Ok(())
    }

    /// Calls the handlers of an event again.
    ///
    /// # Errors
    ///
    /// If there is no such event.
    pub fn unsilence(&self, event: &str) -> Result<(), SwitchError> {
        let of = self.event_type(event)?;
        self.set_live(|live| {
            live.silenced.remove(&of);
        });
        Ok(())
    }

    /// Stops everything that plugins do: no handler is called, and no tool, command or prompt section is found. The emergency brake.
    pub fn halt(&self) {
        self.set_live(|live| live.halted = true);
    }

    /// Lets the plugins go on after [`Kernel::halt`].
    pub fn resume(&self) {
        self.set_live(|live| live.halted = false);
    }

    fn event_type(&self, name: &str) -> Result<TypeId, SwitchError> {
        let found = self.registry().event(name).map(|entry| (entry.decl.type_id)());
        found.ok_or_else(|| {
            let meant = suggest(name, self.registry().events().iter().map(|entry| entry.name.as_str()));
            SwitchError::UnknownEvent { name: name.to_owned(), meant: meant.map(str::to_owned) }
        })
    }

    fn plugin_index(&self, name: &str) -> Result<usize, SwitchError> {
        self.registry().plugin_index(name).ok_or_else(|| SwitchError::UnknownPlugin {
            name: name.to_owned(),
            meant: suggest(name, self.registry().plugins().iter().map(|entry| entry.decl.id)).map(str::to_owned),
        })
    }

    pub(super) fn set_live(&self, change: impl Fn(&mut Live)) {
        self.0.live.rcu(|live| {
            let mut next = Live::clone(live);
            change(&mut next);
            next
        });
        self.0.changed.send_replace(());
    }

    pub(super) fn set_stage(&self, at: usize, stage: Stage) {
        self.0.stages.lock().unwrap_or_else(PoisonError::into_inner)[at] = stage;
    }
}
