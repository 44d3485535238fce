//! An agent of one's own: the plugins that were chosen, and the host.

nekro_core::bundle! { nekro_plugin_dice, hello_plugin }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
