//! An agent with this plugin alone: `cargo run -p stateful-plugin -- call riddle.guess --word piano`

nekro_core::bundle! { stateful_plugin }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
