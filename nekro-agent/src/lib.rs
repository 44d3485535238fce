//! The host: it starts the plugins of a bundle, gives them what they may reach, and lets people use them.
//!
//! An agent of your own is a bundle and this host:
//!
//! ```no_run
//! # mod my_bundle { pub const PLUGINS: &[&nekro_core::PluginDecl] = &[]; }
//! fn main() -> std::process::ExitCode {
//!     nekro_agent::run(my_bundle::PLUGINS)
//! }
//! ```

mod agent;
mod assemble;
mod audit;
#[doc(hidden)]
pub mod bench;
mod beside;
mod chat;
mod cli;
#[cfg(feature = "sandbox")]
mod code;
mod completion;
mod history;
mod log;
#[cfg(feature = "mcp")]
pub mod mcp;
mod model;
mod ports;
mod progress;
mod reach;
mod schedules;
#[cfg(feature = "http")]
mod serve;
mod settings;
mod storage;
mod style;
mod tasks;
mod vectors;

use std::process::ExitCode;

use nekro_core::PluginDecl;

/// The plugin of this crate's own tests: it says what a test wants. What it does stands beside those tests.
#[cfg(test)]
#[nekro_core::plugin(id = "probe")]
pub struct Probe {
    /// What its handlers answer, by decision, one after the other; `"panic"` for a panic.
    #[serde(default)]
    answers: std::collections::BTreeMap<String, Vec<serde_json::Value>>,
    /// Its static prompt section.
    #[serde(default)]
    rules: Option<String>,
}

/// Reads some of the plugins that are linked: the tests have one of their own beside those of the bundle.
#[cfg(test)]
fn registry_of(is_wanted: impl Fn(&str) -> bool) -> nekro_core::kernel::Registry {
    let mut of = nekro_core::kernel::Declarations::linked();
    of.plugins.retain(|decl| is_wanted(decl.id));
    of.tools.retain(|decl| is_wanted(decl.plugin.id));
    of.handlers.retain(|decl| is_wanted(decl.plugin.id));
    of.commands.retain(|decl| is_wanted(decl.plugin.id));
    of.routes.retain(|decl| is_wanted(decl.plugin.id));
    of.webhooks.retain(|decl| is_wanted(decl.plugin.id));
    of.prompts.retain(|decl| is_wanted(decl.plugin.id));
    of.tasks.retain(|decl| is_wanted(decl.plugin.id));
    of.schedules.retain(|decl| is_wanted(decl.task.plugin.id));
    of.hooks.retain(|decl| is_wanted(decl.plugin.id));
    of.events.retain(|decl| decl.plugin.is_none_or(|plugin| is_wanted(plugin.id)));
    nekro_core::kernel::Registry::new(of).expect("these plugins fit together")
}

/// Runs the command line of an agent with the plugins of a bundle.
///
/// Exits with 0 if all went well, 1 if the work failed, and 2 if the command line or the configuration is wrong.
/// `audit` exits with 5 if a plugin may do more than was reviewed, and with 4 if anything else has changed.
///
/// Call it first in `main`: a script runs in a process of this same program, which must not read or start anything before.
pub fn run(plugins: &'static [&'static PluginDecl]) -> ExitCode {
    #[cfg(feature = "sandbox")]
    nekro_sandbox::worker_main_if_asked();
    cli::run(plugins)
}
