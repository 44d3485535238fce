//! An agent with this plugin alone: `cargo run -p web-plugin -- serve`

nekro_core::bundle! { web_plugin }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
