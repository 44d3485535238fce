//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// An agent, and the plugins it was built with.
///
/// Without a command, it starts a chat.
#[derive(Debug, Parser)]
#[command(name = "nekro", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 all went well, 1 the work failed, 2 the command line or the configuration is wrong; \
                  of `audit`, 5 a plugin may do more than was reviewed, 4 anything else has changed.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Read the settings from this file [default: nekro.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "NEKRO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Set one value for this run, over the file and the environment; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Keep everything in this directory [default: .nekro]
    #[arg(long, global = true, value_name = "DIR", env = "NEKRO_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Let the agent carry it out that is served at this address, instead of opening its data
    #[cfg(feature = "http")]
    #[arg(long, global = true, value_name = "URL", env = "NEKRO_SERVER")]
    pub(crate) server: Option<String>,
    /// The token for that [default: the data directory's, if the server is on this machine]
    #[cfg(feature = "http")]
    #[arg(long, global = true, value_name = "TOKEN", env = "NEKRO_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Refuse to start if a plugin cannot
    #[arg(long, global = true)]
    pub(crate) strict: bool,
    /// Tell more: -v what happens, -vv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Talk with the agent: `/help` shows how
    Chat {
        /// The session: another one than the terminal's own
        #[arg(long, value_name = "NAME")]
        session: Option<String>,
        /// Ask this model in the session, from now on
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Say this, print the answer, and end
        #[arg(long, value_name = "TEXT")]
        once: Option<String>,
        /// Write down what the models are asked and answer, into a new file, for `provider = "replay"`
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Show what a model reads first, and what each plugin costs in tokens
    Prompt {
        /// The session: another one than the terminal's own
        #[arg(long, value_name = "NAME")]
        session: Option<String>,
    },
    /// List the plugins, or show one
    Plugins {
        #[command(subcommand)]
        command: Option<PluginsCommand>,
    },
    /// List the tools, or show one with its schema
    Tools {
        /// The tool, such as dice.roll
        tool: Option<String>,
    },
    /// List the events and who listens to them, or show one with its schema
    Events {
        /// The event, such as session_created
        event: Option<String>,
    },
    /// Call a tool: its arguments as options, such as `nekro call dice.roll --notation 2d6`
    #[command(disable_help_flag = true)]
    Call {
        /// The tool, such as dice.roll
        #[arg(required_unless_present = "help")]
        tool: Option<String>,
        /// Show the arguments of the tool
        #[arg(short, long)]
        help: bool,
        /// `--name value` for each argument, or `--args '{"name": "value"}'`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        words: Vec<String>,
    },
    /// Run a Python script in the sandbox, with the tools as its functions, such as `dice.roll("2d6")`
    #[cfg(feature = "sandbox")]
    #[command(
        after_help = "Exit codes: 0 the script came to its end, 1 it failed or met a limit, 2 it could not be right and was not run."
    )]
    Run(RunArgs),
    /// Show what a model that acts by scripts is told of the functions, and how many tokens that has
    #[cfg(feature = "sandbox")]
    Stubs {
        /// The session: another one than the terminal's own
        #[arg(long, value_name = "NAME")]
        session: Option<String>,
    },
    /// Serve everything over HTTP, until the program is told to end
    #[cfg(feature = "http")]
    Serve {
        /// Listen here instead of where `serve.listen` says; port 0 takes one that is free
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<std::net::SocketAddr>,
    },
    /// Serve the tools to an MCP client, over standard input and output
    #[cfg(feature = "mcp")]
    Mcp(McpArgs),
    /// Emit an event and wait for its handlers, or ask for a decision and print its verdict
    Emit {
        /// The event, such as session_created
        event: String,
        /// The event's fields, as JSON
        #[arg(long, default_value = "{}", value_name = "JSON")]
        fields: String,
    },
    /// Write the JSON Schemas of the configuration, the tools and the events as files
    Schema {
        /// Where to
        #[arg(long, default_value = "schemas", value_name = "DIR")]
        out: PathBuf,
        /// Write nothing, and fail if the files there are not current
        #[arg(long)]
        check: bool,
    },
    /// Show what this program's plugins may do, or another's without running it; compare it with what was reviewed
    #[command(after_help = AUDIT_HELP)]
    Audit(AuditArgs),
    /// Look at the settings, and change them
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// List the models and whether their keys are there, or show one
    Models {
        #[command(subcommand)]
        command: Option<ModelsCommand>,
        /// Ask them for a word, over the network
        #[arg(long, global = true)]
        online: bool,
    },
    /// List the sessions, show, export or delete one
    Sessions {
        #[command(subcommand)]
        command: Option<SessionsCommand>,
    },
    /// Write everything that is kept into a file, or read it back
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Look at background tasks, run one, or end one
    Tasks {
        #[command(subcommand)]
        command: Option<TasksCommand>,
    },
    /// Look at schedules, run one now, or let one rest
    Schedules {
        #[command(subcommand)]
        command: Option<SchedulesCommand>,
    },
    /// Show the log
    Logs(LogsArguments),
    /// Keep secrets in the system's keyring, where `{ keyring = "NAME" }` in the settings finds them
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Check that everything the agent needs is there
    Doctor {
        /// Ask the model for a word, over the network
        #[arg(long)]
        online: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// A script, and what it may call.
#[cfg(feature = "sandbox")]
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// The script, or `-` for standard input
    pub(crate) file: PathBuf,
    /// Let it call this tool only, or those like a pattern such as `notes.*`; may be repeated [default: all]
    #[arg(long, value_name = "TOOL")]
    pub(crate) allow: Vec<String>,
}

/// Who is served.
#[cfg(feature = "mcp")]
#[derive(Clone, Debug, Args)]
pub(crate) struct McpArgs {
    /// What the client may do: guest, user, manager or admin
    #[arg(long, default_value = "user", value_parser = role())]
    pub(crate) role: nekro_core::Role,
    /// The conversation that the client's calls belong to, and up to a `:` its channel
    #[arg(long, value_name = "NAME", default_value = "mcp")]
    pub(crate) session: String,
}

#[cfg(feature = "mcp")]
fn role() -> impl clap::builder::TypedValueParser<Value = nekro_core::Role> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(["guest", "user", "manager", "admin"])
        .try_map(|name| serde_json::from_value::<nekro_core::Role>(name.into()))
}

const AUDIT_HELP: &str = "\
In a pipeline, one line keeps what was reviewed and what is built the same: nekro audit --check

Exit codes of --check and --diff: 0 nothing changed, 5 a capability or a scope was added, 4 anything else changed, \
1 a program cannot be read, 2 the lock is missing or broken.";

/// What is looked at, and what becomes of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct AuditArgs {
    /// The program's file, which is read and never run [default: this program]
    #[arg(conflicts_with = "diff")]
    pub(crate) binary: Option<PathBuf>,
    /// Compare the program with the lock
    #[arg(long, group = "what")]
    pub(crate) check: bool,
    /// Write the lock anew, and tell what changed
    #[arg(long, group = "what")]
    pub(crate) accept: bool,
    /// The lock: what was reviewed
    #[arg(long, value_name = "FILE", default_value = "nekro.lock", conflicts_with_all = ["diff", "format"])]
    pub(crate) lock: PathBuf,
    /// Compare two programs
    #[arg(long, group = "what", num_args = 2, value_names = ["OLD", "NEW"])]
    pub(crate) diff: Vec<PathBuf>,
    /// Print the program's packages, with their plugins' capabilities
    #[arg(long, group = "what", value_name = "FORMAT")]
    pub(crate) format: Option<AuditFormat>,
}

/// What the packages are printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// An SBOM: CycloneDX 1.6, as JSON
    Cyclonedx,
}

impl Command {
    /// Tells whether it is a server.
    pub(crate) fn serves(&self) -> bool {
        #[cfg(feature = "http")]
        return matches!(self, Self::Serve { .. });
        #[cfg(not(feature = "http"))]
        false
    }

    /// Tells whether it needs the tools of MCP servers, or tells how these are doing.
    #[cfg(feature = "mcp")]
    pub(crate) fn needs_servers(&self) -> bool {
        !matches!(self, Self::Plugins { command: None } | Self::Events { .. } | Self::Emit { .. } | Self::Tasks { .. })
    }

    /// Tells whether it calls what plugins bring, beside an agent or without one.
    pub(crate) fn calls(&self) -> bool {
        match self {
            Self::Call { .. } | Self::Emit { .. } | Self::Tasks { .. } => true,
            #[cfg(feature = "mcp")]
            Self::Mcp(_) => true,
            #[cfg(feature = "sandbox")]
            Self::Run(_) => true,
            _ => false,
        }
    }
}

/// The commands on plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// Let a plugin run again that was disabled, from the next start on
    Enable {
        /// Its id, such as dice
        id: String,
    },
    /// Keep a plugin from running, from the next start on
    Disable {
        /// Its id, such as dice
        id: String,
    },
    /// Show all there is to know of a plugin
    Show {
        /// Its id, such as dice
        id: String,
    },
}

/// The commands on models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models
    List,
    /// Show all there is to know of a model
    Show {
        /// Its name in the settings, such as main
        name: String,
    },
}

/// The commands on sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List the sessions, the one that was used last first
    List {
        /// How many
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        last: usize,
    },
    /// Show what was said in a session
    Show {
        /// Its name, such as terminal
        session: String,
        /// How many messages, the last ones
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        last: usize,
    },
    /// Write a session with everything in it, as JSON Lines
    Export {
        /// Its name, such as terminal
        session: String,
        /// Where to; a file that is not there yet, or `-` for standard output
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Delete a session with everything in it, and what plugins keep for it
    Delete {
        /// Its name, such as terminal
        session: String,
    },
}

/// The commands on everything that is kept.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Write everything, as JSON Lines; an agent may be running
    Export {
        /// Where to; a file that is not there yet, or `-` for standard output
        file: PathBuf,
        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Delete what a plugin keeps, or what plugins keep of a person; an agent may be running
    Delete {
        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Read an export, all of it or nothing; no agent may be running
    Import {
        /// The file, or `-` for standard input
        file: PathBuf,
        /// Remove what is there first
        #[arg(long)]
        replace: bool,
    },
}

/// Whose values.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct WhoseArgs {
    /// Only what this plugin keeps
    #[arg(long, value_name = "ID")]
    pub(crate) plugin: Option<String>,
    /// Only what plugins keep of this person
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

/// How many tasks are listed if nothing else is said.
pub(crate) const MOST_TASKS: usize = 50;

/// The commands on background tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// List them, the newest first
    List {
        /// Of this plugin only
        #[arg(long)]
        plugin: Option<String>,
        /// In this state only: queued, running, waiting, succeeded, failed or cancelled
        #[arg(long, value_parser = task_state())]
        state: Option<nekro_core::TaskState>,
        /// Those that failed and that nobody has retried
        #[arg(long, conflicts_with = "state")]
        dead: bool,
        /// How many, the last ones
        #[arg(long, value_name = "COUNT", default_value_t = MOST_TASKS)]
        last: usize,
    },
    /// Show one with all that is kept of it
    Show {
        /// Its id, such as t12
        task: String,
    },
    /// End one with its children; a running agent does so at once
    Cancel {
        /// Its id, such as t12
        task: String,
    },
    /// Do the work of one that failed or was cancelled again, as another task
    Retry {
        /// Its id, such as t12
        task: String,
    },
    /// Show what one has logged
    Logs {
        /// Its id, such as t12
        task: String,
        /// How many entries, the last ones
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        last: usize,
        /// Go on with those that come, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
    },
    /// Give one what it waits for
    Notify {
        /// Its id, such as t12
        task: String,
        /// What it waits for, as `show` tells it
        name: String,
        /// The value: JSON, or a text
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Start one and show it to its end: its arguments as options, such as `nekro tasks run index.build --path docs`
    Run {
        /// The task, such as index.build
        name: String,
        /// `--name value` for each argument
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        words: Vec<String>,
    },
}

/// The commands on schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum SchedulesCommand {
    /// List them
    List {
        /// Of this plugin only
        #[arg(long)]
        plugin: Option<String>,
    },
    /// Show one with all that is kept of it
    Show {
        /// Its name, such as timer.tea
        name: String,
    },
    /// Let one rest
    Pause {
        /// Its name, such as timer.tea
        name: String,
    },
    /// Let one go on that rests
    Resume {
        /// Its name, such as timer.tea
        name: String,
    },
    /// Run one once, beside its times; a running agent does so
    Run {
        /// Its name, such as timer.tea
        name: String,
    },
    /// Delete one
    Delete {
        /// Its name, such as timer.tea
        name: String,
    },
    /// Show what is due next
    Next {
        /// How many times
        #[arg(default_value_t = 10)]
        count: usize,
    },
}

fn task_state() -> impl clap::builder::TypedValueParser<Value = nekro_core::TaskState> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(["queued", "running", "waiting", "succeeded", "failed", "cancelled"])
        .try_map(|name| serde_json::from_value::<nekro_core::TaskState>(name.into()))
}

/// What of the log is shown.
#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Of this plugin only
    #[arg(long)]
    pub(crate) plugin: Option<String>,
    /// Of this session only
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// How many entries, the last ones
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) last: usize,
    /// Go on with those that come, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
}

/// The commands on secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Put a secret in: it is asked for and not shown, or comes on standard input
    Set {
        /// Its name, such as nekro/weather
        name: String,
    },
    /// Take a secret out
    Unset {
        /// Its name, such as nekro/weather
        name: String,
    },
}

/// The commands on settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a value as it is in effect
    Get {
        /// The key, such as plugins.weather.units
        key: String,
        /// As it is in this channel, such as terminal
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
    /// Write a value into the file, if the whole is right with it
    Set {
        /// The key, such as plugins.weather.units
        key: String,
        /// The value; lists and tables as JSON or TOML
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take a value out of the file, if the whole is right without it
    Unset {
        /// The key, such as plugins.weather.units
        key: String,
    },
    /// Tell every mistake, with its place
    Check {
        /// The file [default: the one that would be read]
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of the file, for editors and programs
    Schema,
    /// List every setting with its value and where that comes from
    Show {
        /// As they are in this channel, such as terminal
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
    /// Write a file that explains every setting, with its default
    Init,
}
