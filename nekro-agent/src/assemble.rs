//! Putting an agent together: the linked plugins, the settings, and what this host implements.

use std::{fmt, io::IsTerminal, path::PathBuf, sync::Arc};

use nekro_core::{
    ClockPort, EnvPort, MemoryStore, MessagesPort, PluginDecl, Ports, RandomPort, StorePort,
    kernel::{ApprovalPort, Kernel, ObserverPort, Registry, RegistryError, StartError},
    manifest::{self, MismatchError},
};
use tokio::sync::mpsc;

use crate::{
    ports::{EventStream, Outbox, Person, Question, SystemClock, SystemEnv, SystemRandom},
    reach::Reach,
    settings::{self, Checked},
};

/// A running agent.
pub(crate) struct Agent {
    pub(crate) kernel: Kernel,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) reach: Reach,
    // Dropped last.
    _scratch: Scratch,
}

/// Where files are kept as long as the program runs.
struct Scratch(PathBuf);

impl Scratch {
    /// Names a directory that nobody else can guess. It is made when the first file is.
    fn new() -> Self {
        let mut random = [0; 16];
        SystemRandom.fill(&mut random);
        Self(std::env::temp_dir().join(format!("nekro-{:032x}", u128::from_ne_bytes(random))))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Most agents never made it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
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
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::Manifest(error) => error.fmt(f),
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
    let plugins: Vec<_> = registry.plugins().iter().map(|plugin| plugin.decl).collect();
    let scratch = Scratch::new();
    let host = &settings.host;
    let reach = Reach::new(&plugins, scratch.0.clone(), (&host.http, &host.files, &host.process));
    let mut ports = Ports::new()
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn MessagesPort>(Arc::clone(&outbox) as _)
        .with::<dyn ClockPort>(Arc::new(SystemClock))
        .with::<dyn RandomPort>(Arc::new(SystemRandom))
        .with::<dyn EnvPort>(Arc::new(SystemEnv))
        .and(reach.ports());
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
    Ok((Agent { kernel: started.map_err(AssembleError::Start)?, outbox, reach, _scratch: scratch }, questions))
}
