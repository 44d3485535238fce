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
mod chat;
mod cli;
#[expect(dead_code, unused_imports, reason = "the port comes before those who use it")]
mod history;
#[expect(dead_code, unused_imports, reason = "the port comes before those who use it")]
mod model;
mod ports;
mod reach;
mod settings;
mod style;

use std::process::ExitCode;

use nekro_core::PluginDecl;

/// What this host lends, for the benchmarks.
#[doc(hidden)]
pub mod __bench {
    use std::path::PathBuf;

    use nekro_core::Ports;

    use crate::reach::{FilesSettings, HttpSettings, ProcessSettings, Reach};

    /// Makes the ports of what plugins reach. Files are below `root`, and requests may go to a network.
    ///
    /// # Panics
    ///
    /// If it is not a network.
    pub fn ports(root: PathBuf, network: &str) -> Ports {
        let network = network.parse().expect("a network in CIDR notation");
        let http = HttpSettings { allowed_networks: vec![network], ..HttpSettings::default() };
        Reach::new(&[], root, (&http, &FilesSettings::default(), &ProcessSettings::default())).ports()
    }
}

/// Runs the command line of an agent with the plugins of a bundle.
///
/// Exits with 0 if all went well, 1 if the work failed, and 2 if the command line or the configuration is wrong.
pub fn run(plugins: &'static [&'static PluginDecl]) -> ExitCode {
    cli::run(plugins)
}
