//! An agent with this plugin alone: `cargo run -p durable-task -- tasks run primes.count --below 200000`

nekro_core::bundle! { durable_task }

fn main() -> std::process::ExitCode {
    nekro_agent::run(PLUGINS)
}
