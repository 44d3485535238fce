//! The command line: one file to a command.

mod args;
mod audit;
mod call;
mod config;
mod doctor;
mod emit;
mod events;
mod output;
mod plugins;
mod policy;
mod schema;
mod secret;
mod tools;

#[cfg(feature = "mcp")]
use std::sync::Arc;
use std::{io::IsTerminal, process::ExitCode};

use clap::{CommandFactory, Parser};
use nekro_core::{Caller, PluginDecl, kernel::Registry};
use tracing_subscriber::filter::LevelFilter;

use self::args::{Cli, Command, Global, PluginsCommand};
pub(crate) use self::{
    output::{Failure, Screen, first_line, plain, table},
    tools::signature,
};
#[cfg(feature = "mcp")]
use crate::mcp;
use crate::{
    assemble::{self, Agent, Mode},
    chat,
    ports::answer_questions,
    settings::{
        Catalogue, Checked, Layers, Mistakes, Origin, Sources,
        live::{self, Live},
    },
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
    log(cli.global.verbose);
    let screen = Screen::new(cli.global.json);
    match execute(cli, roster, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&screen),
    }
}

/// Sends the log to standard error: warnings by default.
fn log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A second agent in one process keeps the first one's log.
    let _ = log.with_max_level(level).with_target(false).without_time().try_init();
}

fn execute(cli: Cli, roster: &'static [&'static PluginDecl], screen: &Screen) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    let command = command.unwrap_or(Command::Chat);
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
    if let Command::Schema { out, check } = command {
        let registry = read_registry(roster)?;
        return if check { schema::check(&registry, &out, screen) } else { schema::write(&registry, &out, screen) };
    }
    if let Command::Secret { command } = command {
        return secret::run(command, screen);
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
    let settings = layers.check(&catalogue);
    let seen = live::fingerprint(&sources, &settings);
    // One plugin with a wrong configuration does not keep the others from running, unless that is wanted.
    let mistakes = if global.strict { settings.all_mistakes() } else { settings.mistakes.clone() };
    if let Some(mistakes) = Mistakes::of(mistakes) {
        return Err(Failure::settings(&mistakes));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::work(format!("the runtime cannot be started: {error}")))?;
    let result =
        runtime.block_on(with_agent(command, &global, Loaded { sources, catalogue, layers, settings, seen }, registry, screen));
    // The plugins have stopped. What may still be reading the input waits for a line that nobody types.
    runtime.shutdown_background();
    result
}

/// The settings, and what they were read by.
struct Loaded {
    sources: Sources,
    catalogue: Catalogue,
    layers: Layers,
    settings: Checked,
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
    screen: &Screen,
) -> Result<(), Failure> {
    let event_stream = global.json && matches!(command, Command::Chat);
    #[cfg_attr(not(feature = "mcp"), expect(unused_mut, reason = "only a client changes it"))]
    let mut mode = Mode { strict: global.strict, event_stream, ..Mode::default() };
    #[cfg(feature = "mcp")]
    let changes = Arc::new(mcp::Changes::default());
    #[cfg(feature = "mcp")]
    if matches!(command, Command::Mcp(_)) {
        mode.approval = Some(Arc::new(mcp::Client));
        mode.observer = Some(Arc::clone(&changes) as _);
    }
    let (agent, questions) = assemble::start(registry, &loaded.settings, mode).await.map_err(Failure::usage)?;
    let caller = Caller::operator().in_session(SESSION);
    let result = match command {
        Command::Chat => {
            let Loaded { sources, catalogue, settings, seen, .. } = loaded;
            let live = Live::new(agent.kernel.clone(), sources, catalogue, settings, seen);
            chat::run(&agent, questions, &live, screen).await
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
        #[cfg(feature = "mcp")]
        Command::Mcp(args::McpArgs { role, session }) => {
            let Loaded { sources, catalogue, settings, seen, .. } = loaded;
            let served = mcp::Served { role, session, limits: settings.host.mcp.clone(), changes };
            let live = Live::new(agent.kernel.clone(), sources, catalogue, settings, seen);
            mcp::run(&agent, &live, served, screen).await
        }
        Command::Emit { event, data } => emit::emit(&agent, &event, &data, &caller, screen).await,
        Command::Doctor => doctor::check(&agent, &loaded.layers, screen),
        // These need no agent, and have been carried out.
        Command::Completions { .. }
        | Command::Call { tool: None, .. }
        | Command::Config { .. }
        | Command::Schema { .. }
        | Command::Secret { .. }
        | Command::Audit(_) => Ok(()),
    };
    stop(&agent, screen).await;
    result
}

/// Lets the handlers finish, prints what they had to say, and stops the plugins.
async fn stop(agent: &Agent, screen: &Screen) {
    agent.kernel.stop().await;
    screen.messages(&agent.outbox);
}
