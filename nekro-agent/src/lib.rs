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

mod assemble;
mod audit;
mod chat;
mod cli;
#[expect(dead_code, unused_imports, reason = "the port comes before those who use it")]
mod history;
#[cfg(feature = "mcp")]
pub mod mcp;
#[expect(dead_code, unused_imports, reason = "the port comes before those who use it")]
mod model;
mod ports;
mod settings;
mod style;

use std::process::ExitCode;

use nekro_core::PluginDecl;

/// Runs the command line of an agent with the plugins of a bundle.
///
/// Exits with 0 if all went well, 1 if the work failed, and 2 if the command line or the configuration is wrong.
/// `audit` has two codes more, for what has changed since it was reviewed.
pub fn run(plugins: &'static [&'static PluginDecl]) -> ExitCode {
    cli::run(plugins)
}
