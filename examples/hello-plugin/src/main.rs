//! An agent with this plugin alone: `cargo run -p hello-plugin -- call hello.greet --name Ada`

nekro_core::bundle! { hello_plugin }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
