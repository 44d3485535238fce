//! Putting an agent together: the linked plugins, the settings, and what this host implements.

use std::{fmt, io::IsTerminal, sync::Arc};

use nekro_core::{
    BoxFuture, ClockPort, EnvPort, MemoryStore, MessagesPort, PluginDecl, Ports, RandomPort, StorePort,
    kernel::{ApprovalPort, Kernel, ObserverPort, PresencePort, Registry, RegistryError, StartError},
    manifest::{self, MismatchError},
};
use tokio::sync::mpsc;

use crate::{
    agent::{Machine, Models, Parts, Presences, Speaker, Surface},
    history::{HistoryPort, MemoryHistory},
    model::{Answer, Model, ModelError, Request, Sink},
    ports::{EventStream, Outbox, Person, Question, SystemClock, SystemEnv, SystemRandom},
    settings::{self, Checked},
};

/// A running agent.
pub(crate) struct Agent {
    pub(crate) kernel: Kernel,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) machine: Machine,
}

/// How an agent is started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode {
    /// Every plugin must start.
    pub(crate) strict: bool,
    /// Facts are printed as they are emitted.
    pub(crate) event_stream: bool,
}

/// Why an agent did not start.
#[derive(Debug)]
pub(crate) enum AssembleError {
    /// The plugins do not fit together, or are not what the bundle names.
    Registry(RegistryError),
    /// The program's manifest says something else.
    Manifest(MismatchError),
    /// The kernel did not start.
    Start(StartError),
    /// The sessions could not be taken up.
    Sessions(nekro_core::Error),
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::Manifest(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Sessions(error) => write!(f, "the sessions cannot be taken up: {error}"),
        }
    }
}

impl std::error::Error for AssembleError {}

impl AssembleError {
    /// Returns the way out, where the message has not said it already.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Manifest(error) => Some(error.hint()),
            Self::Registry(_) | Self::Start(_) | Self::Sessions(_) => None,
        }
    }
}

/// Reads what is linked, and compares it with what the bundle names and with what the program's manifest says.
pub(crate) fn registry(roster: &[&'static PluginDecl]) -> Result<Registry, AssembleError> {
    let registry = Registry::of_bundle(roster).map_err(AssembleError::Registry)?;
    manifest::verify(&registry).map_err(AssembleError::Manifest)?;
    Ok(registry)
}

/// Starts an agent. What comes with it are the questions to the person at the terminal, if there is one.
pub(crate) async fn start(
    registry: Registry,
    settings: &Checked,
    mode: Mode,
    surface: Arc<dyn Surface>,
) -> Result<(Agent, mpsc::Receiver<Question>), AssembleError> {
    let outbox = Arc::new(Outbox::default());
    let history: Arc<dyn HistoryPort> = Arc::new(MemoryHistory::new(Arc::new(SystemClock)));
    let speaker = Arc::new(Speaker::new(Arc::clone(&history), Arc::clone(&outbox) as _));
    let mut ports = Ports::new()
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn MessagesPort>(Arc::clone(&speaker) as _)
        .with::<dyn ClockPort>(Arc::new(SystemClock))
        .with::<dyn RandomPort>(Arc::new(SystemRandom))
        .with::<dyn EnvPort>(Arc::new(SystemEnv));
    let agent = Arc::new(settings.host.agent.clone());
    let presences = Arc::new(Presences::new(Arc::clone(&agent)));
    ports = ports.with::<dyn PresencePort>(Arc::clone(&presences) as _);
    let (person, questions) = Person::new();
    if std::io::stdin().is_terminal() {
        ports = ports.with::<dyn ApprovalPort>(Arc::new(person));
    }
    if mode.event_stream {
        ports = ports.with::<dyn ObserverPort>(Arc::new(EventStream));
    }
    let mut builder = Kernel::builder(registry).ports(ports).limits(settings.host.limits.clone());
    for (plugin, config) in &settings.plugins {
        builder = match config {
            Ok(config) => builder.configure(*plugin, config.clone()),
            Err(mistakes) => builder.misconfigured(*plugin, settings::reason(mistakes)),
        };
    }
    for plugin in &settings.disabled {
        builder = builder.disable(plugin);
    }
    let started = if mode.strict { builder.start_all().await } else { builder.start().await };
    let kernel = started.map_err(AssembleError::Start)?;
    let parts = Parts {
        kernel: kernel.clone(),
        history,
        models: Arc::new(NoModels),
        surface,
        settings: agent,
        presences,
        speaker: Some(speaker),
    };
    let machine = Machine::start(parts).await.map_err(AssembleError::Sessions)?;
    Ok((Agent { kernel, outbox, machine }, questions))
}

/// The models of an agent to which none is connected: one that says nothing.
struct NoModels;

impl Models for NoModels {
    fn model(&self, name: Option<&str>) -> nekro_core::Result<Arc<dyn Model>> {
        match name {
            None => Ok(Arc::new(NoModel)),
            Some(name) => Err(nekro_core::Error::new(format!("there is no model `{name}`: none is connected"))),
        }
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

struct NoModel;

impl Model for NoModel {
    fn name(&self) -> &str {
        "none"
    }

    fn ask<'a>(&'a self, _: &'a Request, _: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(std::future::ready(Ok(Answer { model: "none".to_owned(), ..Answer::default() })))
    }
}
