//! Putting an agent together: the linked plugins, the settings, and what this host implements.

use std::{
    fmt,
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
};

use nekro_core::{
    ClockPort, EnvPort, MessagesPort, ModelPort, PluginDecl, Ports, ProgressPort, RandomPort, SchedulesPort, SessionsPort,
    StorePort, TasksPort, VectorsPort,
    kernel::{ApprovalPort, Kernel, ObserverPort, PresencePort, Registry, RegistryError, StartError},
    manifest::{self, MismatchError},
    policy,
};
use tokio::sync::mpsc;

#[cfg(feature = "sandbox")]
use crate::code::Code;
use crate::{
    agent::{Machine, Models, Parts, Presences, Speaker, Surface},
    history::HistoryPort,
    model,
    ports::{Conversations, EventStream, Outbox, Person, Question, SystemClock, SystemEnv, SystemRandom},
    progress::Reports,
    reach::{Asked, Reach},
    schedules::{self, Book},
    settings::{self, Checked},
    storage::{Ledger, Storage},
    tasks::{Desk, Runner, Scope},
    vectors::Collections,
};

/// A running agent.
pub(crate) struct Agent {
    pub(crate) kernel: Kernel,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) machine: Machine,
    pub(crate) reach: Reach,
    #[cfg(feature = "sandbox")]
    pub(crate) code: Arc<Code>,
    pub(crate) desk: Desk,
    pub(crate) book: Book,
    runner: Mutex<Option<Runner>>,
}

impl Agent {
    /// Stops what goes on in the background: it goes on with the next process.
    pub(crate) async fn rest(&self) {
        let runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runner) = runner {
            runner.stop().await;
        }
    }
}

/// How an agent is started.
#[derive(Default)]
pub(crate) struct Mode {
    /// Every plugin must start.
    pub(crate) strict: bool,
    /// Facts are printed as they are emitted.
    pub(crate) event_stream: bool,
    /// Messages are answered, and tasks and schedules run. No other process does so on the same data, and turns that were cut off are ended.
    pub(crate) at_work: bool,
    /// MCP servers are not started: nobody calls their tools, or asks for them.
    #[cfg(feature = "mcp")]
    pub(crate) without_servers: bool,
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
    /// Declared schedules are in time zones that there are not.
    Zones(Vec<String>),
    /// The kernel did not start.
    Start(StartError),
    /// The sessions could not be taken up.
    Sessions(nekro_core::Error),
    /// The tasks could not be taken up.
    Tasks(nekro_core::Error),
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::Manifest(error) => error.fmt(f),
            Self::Policy(error) => write!(f, "the program's policy cannot be read: {error}"),
            Self::Zones(problems) => f.write_str(&problems.join("\n")),
            Self::Start(error) => error.fmt(f),
            Self::Sessions(error) => write!(f, "the sessions cannot be taken up: {error}"),
            Self::Tasks(error) => write!(f, "the tasks cannot be taken up: {error}"),
        }
    }
}

impl std::error::Error for AssembleError {}

impl AssembleError {
    /// Returns the way out, where the message has not said it already.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Manifest(error) => Some(error.hint()),
            Self::Policy(_) => Some("build the program again"),
            Self::Sessions(error) | Self::Tasks(error) => error.hint(),
            Self::Registry(_) | Self::Zones(_) | Self::Start(_) => None,
        }
    }
}

/// Reads what is linked, and compares it with what the bundle names and with what the program's manifest says.
pub(crate) fn registry(roster: &[&'static PluginDecl]) -> Result<Registry, AssembleError> {
    let registry = Registry::of_bundle(roster).map_err(AssembleError::Registry)?;
    manifest::verify(&registry).map_err(AssembleError::Manifest)?;
    // The build knows no rules of time zones.
    let problems = schedules::in_no_zone(registry.schedules());
    if problems.is_empty() { Ok(registry) } else { Err(AssembleError::Zones(problems)) }
}

/// Starts an agent. What comes with it are the questions to the person at the terminal, if there is one.
pub(crate) async fn start(
    registry: Registry,
    settings: &Checked,
    storage: &Arc<Storage>,
    models: Arc<dyn Models>,
    mode: Mode,
    surface: Arc<dyn Surface>,
) -> Result<(Agent, mpsc::Receiver<Question>), AssembleError> {
    let outbox = Arc::new(Outbox::default());
    let history: Arc<dyn HistoryPort> = Arc::clone(storage) as _;
    let speaker = Arc::new(Speaker::new(Arc::clone(&history), Arc::clone(&outbox) as _));
    let plugins: Vec<_> = registry.plugins().iter().map(|plugin| plugin.decl).collect();
    let host = &settings.host;
    storage.limit(&host.store);
    let files = storage.directory().path().join("files");
    let reach = Reach::new(&plugins, files, (&host.http, &host.files, &host.process), &host.secrets);
    let messages: Arc<dyn MessagesPort> = Arc::clone(&speaker) as _;
    #[cfg(feature = "mcp")]
    let messages: Arc<dyn MessagesPort> = Arc::new(crate::mcp::Questions::new(messages));
    let embedder = host.vectors.embedding.as_ref().map(model::embedder);
    let clock: Arc<dyn ClockPort> = Arc::new(SystemClock);
    let desk = Desk::new(Ledger::Disk(Arc::clone(storage)), Arc::clone(&clock), host.tasks.clone());
    let book = Book::new(Ledger::Disk(Arc::clone(storage)), Arc::clone(&clock), &host.schedules, desk.bell());
    let book = book.map_err(AssembleError::Tasks)?;
    let mut ports = Ports::new()
        .with::<dyn TasksPort>(Arc::new(desk.clone()))
        .with::<dyn SchedulesPort>(Arc::new(book.clone()))
        .with::<dyn StorePort>(Arc::clone(storage) as _)
        .with::<dyn MessagesPort>(messages)
        .with::<dyn SessionsPort>(Arc::new(Conversations(Arc::clone(&history))))
        .with::<dyn ClockPort>(Arc::clone(&clock))
        .with::<dyn RandomPort>(Arc::new(SystemRandom))
        .with::<dyn EnvPort>(Arc::new(SystemEnv))
        .with::<dyn ProgressPort>(Arc::new(Reports))
        .with::<dyn ModelPort>(Arc::new(Asked::new(&host.plugin_models, Arc::clone(&models), Arc::clone(&history), clock)))
        .with::<dyn VectorsPort>(Arc::new(Collections::new(&host.vectors, Arc::clone(storage), embedder)))
        .and(reach.ports());
    #[cfg(feature = "mcp")]
    {
        use crate::mcp::Servers;
        let named = &host.mcp_servers;
        let servers = Arc::new(if mode.without_servers { Servers::at_rest(named) } else { Servers::new(named) });
        ports = ports.with::<dyn nekro_core::ToolServersPort>(servers);
    }
    let agent = Arc::new(settings.host.agent.clone());
    let presences = Arc::new(Presences::new(Arc::clone(&agent)));
    ports = ports.with::<dyn PresencePort>(Arc::clone(&presences) as _);
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
    let kernel = started.map_err(AssembleError::Start)?;
    #[cfg(feature = "sandbox")]
    let code = Arc::new(Code::new(&host.sandbox, reach.files()));
    #[cfg(feature = "sandbox")]
    if mode.at_work && host.models.any_acts_by_scripts() {
        let code = Arc::clone(&code);
        // So that the first script need not wait. What is wrong, that script tells.
        tokio::spawn(async move { drop(code.sandbox().await) });
    }
    #[cfg(feature = "sandbox")]
    let scripts = Some(Arc::clone(&code) as _);
    #[cfg(not(feature = "sandbox"))]
    let scripts = None;
    let parts =
        Parts { kernel: kernel.clone(), history, models, scripts, surface, settings: agent, presences, speaker: Some(speaker) };
    let machine = if mode.at_work { Machine::start(parts).await } else { Machine::beside(parts) };
    let machine = machine.map_err(AssembleError::Sessions)?;
    let runner = if mode.at_work {
        let audience = Arc::new(machine.clone());
        Some(
            Runner::start(kernel.clone(), desk.clone(), book.clone(), audience, Scope::Everything)
                .await
                .map_err(AssembleError::Tasks)?,
        )
    } else {
        None
    };
    let agent = Agent {
        kernel,
        outbox,
        machine,
        reach,
        #[cfg(feature = "sandbox")]
        code,
        desk,
        book,
        runner: Mutex::new(runner),
    };
    Ok((agent, questions))
}
