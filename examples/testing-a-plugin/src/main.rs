//! An agent with this plugin alone: `cargo run -p testing-a-plugin -- call garden.water --bed roses`

nekro_core::bundle! { testing_a_plugin }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
