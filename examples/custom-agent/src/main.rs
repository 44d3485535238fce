//! An agent of one's own: the plugins that were chosen, and the host.

mod bundle;

nekro_core::embed_manifest!();

fn main() -> std::process::ExitCode {
    nekro_agent::run(bundle::PLUGINS)
}
