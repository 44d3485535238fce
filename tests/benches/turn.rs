//! A turn without its model: what the agent itself costs from a message to its answer, and the parts of that.
//!
//! The history is in memory and the model answers at once, so a turn is all ours. The plugins are the bundled ones, without the guard,
//! which would refuse the call.

mod measure;

use std::sync::Arc;

use measure::Table;
use nekro_agent::bench::measured::{Measured, Taking};
use nekro_core::{
    ClockPort, MemoryStore, MessagesPort, Ports, RandomPort, StorePort,
    kernel::{Kernel, PresencePort, Registry},
    testing::{FakeClock, Outbox, SeededRandom},
};
use nekro_plugins as _;

async fn agent(call: Option<(&str, &str)>) -> Measured {
    let taking = Taking::default();
    let ports = Ports::new()
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn MessagesPort>(Arc::new(Outbox::default()))
        .with::<dyn ClockPort>(Arc::new(FakeClock::default()))
        .with::<dyn RandomPort>(Arc::new(SeededRandom::new(0)))
        .with::<dyn PresencePort>(taking.port());
    let registry = Registry::linked().expect("the bundled plugins fit together");
    let kernel = Kernel::builder(registry).ports(ports).disable("guard").disable("greeter").start().await.expect("it starts");
    let call = call.map(|(tool, arguments)| (tool.to_owned(), arguments.to_owned()));
    Measured::start(kernel, taking, call).await.expect("the agent starts")
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let mut table = Table::new("turn", &["A turn without its model", "time", "goal"]);
    let silent = runtime.block_on(agent(None));
    let calling = runtime.block_on(agent(Some(("dice.roll", r#"{"notation":"2d6"}"#))));
    let session = runtime.block_on(silent.conversation(50));
    table.time("message in, answer out", "< 1 ms", || runtime.block_on(silent.turn()));
    table.time("the same, with one call of a tool", "< 1 ms", || runtime.block_on(calling.turn()));
    table.time("of this: a message is taken in", "–", || runtime.block_on(silent.take_in()));
    table.time("of this: what the model reads first", "–", || assert!(runtime.block_on(silent.prompt(&session)) > 0));
    table
        .time("of this: a conversation of 50 messages is read", "–", || assert!(runtime.block_on(silent.window(&session)) > 0));
    table.finish();
}
