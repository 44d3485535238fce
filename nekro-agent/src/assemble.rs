//! Putting an agent together: the linked plugins, the settings, and what this host implements.

use std::{fmt, io::IsTerminal, sync::Arc};

use nekro_core::{
    ClockPort, EnvPort, MemoryStore, MessagesPort, PluginDecl, Ports, RandomPort, StorePort,
    kernel::{ApprovalPort, Kernel, ObserverPort, Registry, RegistryError, StartError},
    manifest::{self, MismatchError},
    policy,
};
use tokio::sync::mpsc;

use crate::{
    ports::{EventStream, Outbox, Person, Question, SystemClock, SystemEnv, SystemRandom},
    settings::{self, Checked},
};

/// A running agent.
pub(crate) struct Agent {
    pub(crate) kernel: Kernel,
    pub(crate) outbox: Arc<Outbox>,
}

/// How an agent is started.
#[derive(Default)]
pub(crate) struct Mode {
    /// Every plugin must start.
    pub(crate) strict: bool,
    /// Facts are printed as they are emitted.
    pub(crate) event_stream: bool,
    /// Who approves calls, in place of the person at the terminal.
    pub(crate) approval: Option<Arc<dyn ApprovalPort>>,
    /// Who sees every fact.
    pub(crate) observer: Option<Arc<dyn ObserverPort>>,
}

/// Why an agent did not start.
#[derive(Debug)]
pub(crate) enum AssembleError {
    /// The plugins do not fit together, or are not what the bundle names.
    Registry(RegistryError),
    /// The program's manifest says something else.
    Manifest(MismatchError),
    /// The program's policy cannot be read.
    Policy(serde_json::Error),
    /// The kernel did not start.
    Start(StartError),
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::Manifest(error) => error.fmt(f),
            Self::Policy(error) => write!(f, "the program's policy cannot be read: {error}"),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AssembleError {}

impl AssembleError {
    /// Returns the way out, where the message has not said it already.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Manifest(error) => Some(error.hint()),
            Self::Policy(_) => Some("build the program again"),
            Self::Registry(_) | Self::Start(_) => None,
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
) -> Result<(Agent, mpsc::Receiver<Question>), AssembleError> {
    let outbox = Arc::new(Outbox::default());
    let mut ports = Ports::new()
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn MessagesPort>(Arc::clone(&outbox) as _)
        .with::<dyn ClockPort>(Arc::new(SystemClock))
        .with::<dyn RandomPort>(Arc::new(SystemRandom))
        .with::<dyn EnvPort>(Arc::new(SystemEnv));
    let (person, questions) = Person::new();
    if let Some(approval) = mode.approval {
        ports = ports.with::<dyn ApprovalPort>(approval);
    } else if std::io::stdin().is_terminal() {
        ports = ports.with::<dyn ApprovalPort>(Arc::new(person));
    }
    if mode.event_stream {
        ports = ports.with::<dyn ObserverPort>(Arc::new(EventStream));
    }
    if let Some(observer) = mode.observer {
        ports = ports.with::<dyn ObserverPort>(observer);
    }
    let mut builder = Kernel::builder(registry).ports(ports).limits(settings.host.limits.clone());
    if let Some(policy) = policy::embedded().map_err(AssembleError::Policy)? {
        builder = builder.policy(policy);
    }
    for (plugin, config) in &settings.plugins {
        builder = match config {
            Ok(config) => builder.configure(*plugin, config.clone()),
            Err(mistakes) => builder.misconfigured(*plugin, settings::reason(mistakes)),
        };
    }
    for plugin in &settings.disabled {
        builder = builder.disable(plugin);
    }
    for (channel, plugins) in &settings.disabled_in {
        builder = builder.disable_in(channel, plugins);
    }
    let started = if mode.strict { builder.start_all().await } else { builder.start().await };
    Ok((Agent { kernel: started.map_err(AssembleError::Start)?, outbox }, questions))
}
