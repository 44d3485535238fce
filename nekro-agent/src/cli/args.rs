//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// An agent, and the plugins it was built with.
///
/// Without a command, it starts a chat.
#[derive(Debug, Parser)]
#[command(name = "nekro", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 all went well, 1 the work failed, 2 the command line or the configuration is wrong.")]
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
    /// Emit an event and wait for its handlers, or ask for a decision and print its verdict
    Emit {
        /// The event, such as session_created
        event: String,
        /// The event's fields, as JSON
        #[arg(long, default_value = "{}", value_name = "JSON")]
        data: String,
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
    /// Look at the settings, and change them
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check that everything the agent needs is there
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The commands on plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// Show all there is to know of a plugin
    Show {
        /// Its id, such as dice
        id: String,
    },
}

/// The commands on settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a value as it is in effect
    Get {
        /// The key, such as plugins.weather.units
        key: String,
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
    Show,
    /// Write a file that explains every setting, with its default
    Init,
}
