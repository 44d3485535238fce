//! An agent with this plugin alone: `cargo run -p custom-event -- call kitchen.order --dish soup`

nekro_core::bundle! { custom_event }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
