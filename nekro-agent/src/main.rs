//! The `nekro` program: the host with the bundled plugins. Short enough to copy for an agent of your own.

use std::process::ExitCode;

nekro_core::embed_manifest!();

fn main() -> ExitCode {
    nekro_agent::run(nekro_plugins::PLUGINS)
}
