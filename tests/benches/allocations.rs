//! Allocations per tool call and per dispatch, beside those of the same by hand.

mod handlers;
mod measure;
mod now;
mod tools;

use allocation_counter::measure as count;
use handlers::{handled, happened, kernel, question};
use measure::Table;
use nekro_core::{
    Caller,
    kernel::{Kernel, Registry},
    prelude::plugin,
};
use now::now;
use serde_json::json;
use tools::{ByHand, cases};

/// What is measured.
#[plugin(id = "nekro_tests")]
pub struct Measured;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
    let caller = Caller::operator();
    let mut table = Table::new("allocations", &["Allocations of", "by hand", "nekro", "goal"]);
    let mut add = |row: &str, by_hand: u64, nekro: u64, goal: &str| {
        let cells = vec![row.to_owned(), by_hand.to_string(), nekro.to_string(), goal.to_owned()];
        table.add(cells, json!({ "baseline": by_hand, "subject": nekro, "goal": goal }));
    };
    let registry = Registry::linked().expect("the declarations fit together");
    let of_tools = runtime.block_on(Kernel::builder(registry).start()).expect("there is a runtime");
    let lookup = count(|| assert!(of_tools.registry().tool("nekro_tests.plan").is_some()));
    add("finding a tool by its name", 0, lookup.count_total, "0");
    for case in cases() {
        let by_hand = count(|| match case.by_hand {
            ByHand::Sync(call) => drop(call(&case.arguments)),
            ByHand::Async(call) => drop(now(call(&case.arguments))),
        });
        let nekro = count(|| drop(now(of_tools.call(&case.tool, &case.arguments, &caller))));
        add(&format!("a tool call with {}", case.what), by_hand.count_total, nekro.count_total, "as by hand");
    }
    for (mode, per_handler) in [("sync", 0), ("async", 1)] {
        for handlers in [1, 100] {
            let kernel = runtime.block_on(kernel(&format!("weigh_{mode}"), handlers, 1));
            let event = question();
            let decided = count(|| drop(now(kernel.decide(event, &caller))));
            let goal = (handlers * per_handler).to_string();
            add(&format!("a decision with {handlers} {mode} handlers"), handlers as u64, decided.count_total, &goal);
        }
    }
    for (mode, per_handler) in [("sync", 0), ("async", 1)] {
        for handlers in [1, 100] {
            let kernel = runtime.block_on(kernel(&format!("look_{mode}"), handlers, 1));
            let emit = |event| runtime.block_on(handled(handlers, || kernel.emit(event)));
            emit(happened());
            let event = happened();
            let told = count(|| emit(event));
            let goal = format!("{} and the fact's own 2", handlers * per_handler);
            add(&format!("a fact with {handlers} {mode} handlers"), handlers as u64 + 1, told.count_total, &goal);
        }
    }
    table.finish();
}
