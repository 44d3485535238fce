//! The command line: one file to a command.

mod args;
mod audit;
mod call;
pub(crate) mod config;
mod data;
mod doctor;
mod emit;
mod events;
mod logs;
mod models;
mod output;
mod plugins;
mod policy;
mod prompt;
#[cfg(feature = "http")]
mod remote;
#[cfg(feature = "sandbox")]
mod run;
mod schedules;
mod schema;
mod secret;
mod sessions;
#[cfg(feature = "sandbox")]
mod stubs;
mod tasks;
mod tools;

use std::{collections::BTreeSet, path::Path, process::ExitCode, sync::Arc};

use clap::{CommandFactory, Parser};
use nekro_core::{Caller, PluginDecl, kernel::Registry};

use self::args::{Cli, Command, Global, MOST_TASKS, ModelsCommand, PluginsCommand, SchedulesCommand, TasksCommand};
pub(crate) use self::{
    output::{Failure, Screen, first_line, plain, table},
    prompt::text as prompt_text,
    tools::signature,
};
#[cfg(feature = "mcp")]
use crate::mcp;
#[cfg(feature = "http")]
use crate::serve;
use crate::{
    agent::{self, Recorded},
    assemble::{self, Agent, AssembleError, Mode},
    chat::{self, Begin},
    history::HistoryPort,
    log,
    model::{Models, Recording, Secrets},
    ports::{Conversation, SystemClock, answer_questions},
    settings::{
        Catalogue, Checked, Layers, Mistakes, Origin, Sources,
        live::{self, Live},
        secrets,
    },
    storage::{DEFAULT_DIRECTORY, DataDirectory, Storage},
};

/// The session that the terminal is.
pub(crate) const SESSION: &str = "terminal";

/// Runs the command line of an agent with the plugins of a bundle.
pub(crate) fn run(roster: &'static [&'static PluginDecl]) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    log::install(cli.global.verbose);
    let screen = Screen::new(cli.global.json);
    match execute(cli, roster, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&screen),
    }
}

fn execute(cli: Cli, roster: &'static [&'static PluginDecl], screen: &Screen) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    let command = command.unwrap_or(Command::Chat { session: None, model: None, once: None, record: None });
    if let Command::Completions { shell } = command {
        let mut command = Cli::command();
        clap_complete::generate(shell, &mut command, "nekro", &mut std::io::stdout());
        return Ok(());
    }
    if let Command::Call { tool: None, .. } = command {
        let mut command = Cli::command();
        command.build();
        let call = command.find_subcommand_mut("call").map(|call| call.render_help().ansi().to_string());
        screen.line(call.unwrap_or_default());
        return Ok(());
    }
    #[cfg(feature = "http")]
    if let Some(server) = &global.server {
        let directory = global.data.clone().unwrap_or_else(|| DEFAULT_DIRECTORY.into());
        return remote::run(command, server, &global, &directory, screen);
    }
    if let Command::Schema { out, check } = command {
        let registry = read_registry(roster)?;
        return if check { schema::check(&registry, &out, screen) } else { schema::write(&registry, &out, screen) };
    }
    let directory = DataDirectory::new(global.data.clone().unwrap_or_else(|| DEFAULT_DIRECTORY.into()));
    match command {
        Command::Sessions { command } => return sessions::run(command, directory, screen),
        Command::Data { command } => return data::run(command, &directory, screen),
        Command::Logs(wanted) => return logs::run(wanted, &directory, screen),
        Command::Secret { command } => return secret::run(command, screen),
        _ => {}
    }
    if let Command::Audit(arguments) = &command {
        return audit::run(arguments, roster, screen);
    }
    let registry = read_registry(roster)?;
    let catalogue = Catalogue::of(&registry);
    let sources = Sources::new(global.config.clone(), global.settings.clone());
    if let Command::Config { command } = command {
        return config::run(command, sources, &catalogue, screen);
    }
    let layers = sources.read(&catalogue).map_err(|mistakes| Failure::settings(&mistakes))?;
    // What stands in the file is for `nekro config check` to tell; what was just typed, for us.
    screen.warn_of_secrets(layers.secrets_in_clear(&catalogue).iter().filter(|secret| secret.origin == Origin::CommandLine));
    let mut settings = layers.check(&catalogue);
    let seen = live::fingerprint(&sources, &settings);
    // One plugin with a wrong configuration does not keep the others from running, unless that is wanted.
    let mistakes = if global.strict { settings.all_mistakes() } else { settings.mistakes.clone() };
    if let Some(mistakes) = Mistakes::of(mistakes) {
        return Err(Failure::settings(&mistakes));
    }
    if let Command::Plugins { command: Some(command @ (PluginsCommand::Enable { .. } | PluginsCommand::Disable { .. })) } =
        &command
    {
        return plugins::switch(command, &registry, &settings, directory, screen);
    }
    let command = match command {
        Command::Tasks { command: Some(run @ TasksCommand::Run { .. }) } => Command::Tasks { command: Some(run) },
        Command::Tasks { command } => {
            let list = TasksCommand::List { plugin: None, state: None, dead: false, last: MOST_TASKS };
            return tasks::run(command.unwrap_or(list), directory, settings.host.tasks, screen);
        }
        Command::Schedules { command } => {
            let list = SchedulesCommand::List { plugin: None };
            return schedules::run(command.unwrap_or(list), directory, &settings.host.schedules, screen);
        }
        other => other,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::work(format!("the runtime cannot be started: {error}")))?;
    let models = Models::new(&settings.host.models, layers.folder()).map_err(|mistakes| {
        let told: Vec<_> = mistakes.iter().map(|mistake| format!("`models.{}`: {}", mistake.path, mistake.problem)).collect();
        Failure::usage(told.join("\n"))
    })?;
    if let Command::Models { command, online } = command {
        return runtime.block_on(async {
            match command {
                None | Some(ModelsCommand::List) => models::list(&models, online, screen).await,
                Some(ModelsCommand::Show { name }) => models::show(&models, &name, online, screen).await,
            }
        });
    }
    let storage = Arc::new(Storage::new(directory, Arc::new(SystemClock)));
    let result = runtime.block_on(async {
        let disabled = match disabled(&storage).await {
            Ok(disabled) => disabled,
            // Whoever asks what is wrong is told below.
            Err(_) if matches!(command, Command::Doctor { .. }) => BTreeSet::new(),
            Err(failure) => return Err(failure),
        };
        settings.disable(&disabled, &catalogue);
        let loaded = Loaded { sources, catalogue, layers, settings, models: Arc::new(models), disabled, seen };
        with_agent(command, &global, loaded, registry, &storage, screen).await
    });
    // The plugins have stopped. What may still be reading the input waits for a line that nobody types.
    runtime.shutdown_background();
    result
}

/// Returns the plugins that an operator has disabled beside the settings.
async fn disabled(storage: &Storage) -> Result<BTreeSet<String>, Failure> {
    let switched = storage.enabled().await.map_err(|error| Failure::of(&error))?;
    Ok(switched.into_iter().filter(|(_, enabled)| !enabled).map(|(id, _)| id).collect())
}

/// Starts a runtime for a command that only asks the database.
fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|error| Failure::work(format!("the runtime cannot be started: {error}")))
}

/// The settings, and what they were read by.
struct Loaded {
    sources: Sources,
    catalogue: Catalogue,
    layers: Layers,
    settings: Checked,
    models: Arc<Models>,
    // What an operator has disabled beside them.
    disabled: BTreeSet<String>,
    // What the files were then.
    seen: u64,
}

fn read_registry(roster: &[&'static PluginDecl]) -> Result<Registry, Failure> {
    assemble::registry(roster).map_err(|error| match error.hint() {
        Some(hint) => Failure::work(&error).with_hint(hint),
        None => Failure::work(&error),
    })
}

async fn with_agent(
    command: Command,
    global: &Global,
    loaded: Loaded,
    registry: Registry,
    storage: &Arc<Storage>,
    screen: &Screen,
) -> Result<(), Failure> {
    // One agent at a time runs on a directory; commands that come and go may do so beside it.
    let is_server = command.serves();
    let is_agent = matches!(command, Command::Chat { .. }) || is_server;
    let _lock = is_agent.then(|| storage.directory().lock()).transpose().map_err(|problem| Failure::of(&problem.into()))?;
    if is_agent || command.calls() {
        log::hide(secrets(&loaded.settings, &loaded.catalogue));
        log::keep_in(storage.directory(), &registry);
    }
    let event_stream = global.json && is_agent && !is_server;
    #[cfg_attr(not(any(feature = "mcp", feature = "http")), expect(unused_mut, reason = "only clients change it"))]
    let mut mode = Mode { strict: global.strict, event_stream, at_work: is_agent, ..Mode::default() };
    #[cfg(feature = "mcp")]
    {
        mode.without_servers = !command.needs_servers();
    }
    #[cfg(feature = "mcp")]
    let changes = Arc::new(mcp::Changes::default());
    #[cfg(feature = "mcp")]
    if matches!(command, Command::Mcp(_)) {
        mode.approval = Some(Arc::new(mcp::Client));
        mode.observer = Some(Arc::clone(&changes) as _);
    }
    #[cfg(feature = "http")]
    let feed = {
        #[cfg(feature = "mcp")]
        let next = is_server.then(|| Arc::clone(&changes) as _);
        #[cfg(not(feature = "mcp"))]
        let next = None;
        Arc::new(serve::Feed::new(loaded.settings.host.serve.kept_events, next))
    };
    #[cfg_attr(not(feature = "http"), expect(unused_mut, reason = "only a server has another one"))]
    let mut surface: Arc<dyn agent::Surface> = Arc::new(Conversation::new(global.json));
    #[cfg(feature = "http")]
    if is_server {
        surface = Arc::clone(&feed) as _;
        mode.observer = Some(Arc::clone(&feed) as _);
        mode.approval = Some(serve::approval());
    }
    let models: Arc<dyn agent::Models> = match &command {
        Command::Chat { record: Some(path), .. } => {
            Arc::new(Recorded::new(Arc::clone(&loaded.models) as _, recording(path, &loaded)?))
        }
        _ => Arc::clone(&loaded.models) as _,
    };
    let (agent, questions) =
        assemble::start(registry, &loaded.settings, storage, models, mode, surface).await.map_err(|error| match &error {
            AssembleError::Sessions(problem) | AssembleError::Tasks(problem) => Failure::of(problem),
            error => Failure::usage(error),
        })?;
    let caller = Caller::operator().in_session(SESSION);
    let result = match command {
        Command::Chat { session, model, once, record: _ } => {
            let Loaded { sources, catalogue, settings, disabled, seen, .. } = loaded;
            let live = Live::new(agent.kernel.clone(), sources, catalogue, disabled, settings, seen);
            let typed = storage.directory().path().join("history");
            chat::run(&agent, Begin { session, model, once, typed }, questions, &live, screen).await
        }
        Command::Plugins { command: None } => plugins::list(&agent, screen),
        Command::Plugins { command: Some(PluginsCommand::Show { id }) } => plugins::show(&agent, &id, screen),
        Command::Tools { tool: None } => tools::list(&agent, &caller, screen),
        Command::Tools { tool: Some(tool) } => tools::show(&agent, &tool, &caller, screen),
        Command::Events { event: None } => events::list(&agent, screen),
        Command::Events { event: Some(event) } => events::show(&agent, &event, screen),
        Command::Call { tool: Some(tool), help, words } => {
            tokio::spawn(answer_questions(questions));
            call::call(&agent, &tool, help, words, &caller, screen).await
        }
        #[cfg(feature = "sandbox")]
        Command::Run(of) => {
            tokio::spawn(answer_questions(questions));
            run::run(&agent, &of, &caller, screen).await
        }
        #[cfg(feature = "sandbox")]
        Command::Stubs { session } => stubs::show(&agent, chat::session(session.as_deref()), screen),
        Command::Emit { event, fields } => {
            agent.outbox.show_all();
            emit::emit(&agent, &event, &fields, &caller, screen).await
        }
        Command::Tasks { command: Some(TasksCommand::Run { name, words }) } => {
            tokio::spawn(answer_questions(questions));
            tasks::run_one(&agent, &name, words, &caller, storage.directory(), screen).await
        }
        Command::Prompt { session } => prompt::show(&agent, &chat::session(session.as_deref()), screen).await,
        Command::Doctor { online } => doctor::check(&agent, &loaded, storage, online, screen).await,
        #[cfg(feature = "http")]
        Command::Serve { listen } => {
            let Loaded { sources, catalogue, mut settings, disabled, seen, .. } = loaded;
            let mut serve = std::mem::take(&mut settings.host.serve);
            serve.listen = listen.unwrap_or(serve.listen);
            let served = serve::Served {
                settings: serve,
                feed,
                storage: Arc::clone(storage),
                #[cfg(feature = "mcp")]
                changes,
                #[cfg(feature = "mcp")]
                mcp_limits: settings.host.mcp.clone(),
            };
            let live = Live::new(agent.kernel.clone(), sources, catalogue, disabled, settings, seen);
            serve::run(&agent, &live, served, screen).await
        }
        #[cfg(feature = "mcp")]
        Command::Mcp(args::McpArgs { role, session }) => {
            let Loaded { sources, catalogue, settings, disabled, seen, .. } = loaded;
            agent.outbox.show(&session.as_str().into());
            let served = mcp::Served { role, session, limits: settings.host.mcp.clone(), changes };
            let live = Live::new(agent.kernel.clone(), sources, catalogue, disabled, settings, seen);
            mcp::run(&agent, &live, served, screen).await
        }
        // These need no agent, and have been carried out.
        Command::Completions { .. }
        | Command::Call { tool: None, .. }
        | Command::Config { .. }
        | Command::Schema { .. }
        | Command::Models { .. }
        | Command::Sessions { .. }
        | Command::Data { .. }
        | Command::Logs(_)
        | Command::Tasks { .. }
        | Command::Schedules { .. }
        | Command::Plugins { command: Some(PluginsCommand::Enable { .. } | PluginsCommand::Disable { .. }) }
        | Command::Secret { .. }
        | Command::Audit(_) => Ok(()),
    };
    stop(&agent, screen).await;
    storage.close().await;
    result
}

/// Makes the file that a chat is recorded into.
fn recording(path: &Path, loaded: &Loaded) -> Result<Arc<Recording>, Failure> {
    // What plugins know may come in the results of their tools. Some of it is read from the keyring when it is wanted, some comes with new settings.
    let known = Secrets::new(loaded.models.secrets()).and_later(log::hidden);
    Recording::create(path, known).map_err(|error| {
        let failure = Failure::usage(format!("the recording {} cannot be begun: {error}", path.display()));
        if error.kind() == std::io::ErrorKind::AlreadyExists { failure.with_hint("name a new file") } else { failure }
    })
}

/// Lets the handlers finish, prints what they had to say, and stops the plugins.
async fn stop(agent: &Agent, screen: &Screen) {
    agent.rest().await;
    agent.kernel.stop().await;
    screen.messages(&agent.outbox);
}
