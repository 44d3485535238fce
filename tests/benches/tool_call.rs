//! A tool call from JSON to JSON, against hand-written serde.
//!
//! Each tool has two baselines: serde and the function alone, and the same found by its name in a map, which is the least that a
//! program with several tools does.

mod measure;
mod now;
mod tools;

use std::{collections::HashMap, hint::black_box};

use measure::Table;
use nekro_core::{
    Caller,
    kernel::{Kernel, Registry},
    prelude::plugin,
};
use now::now;
use tools::{ByHand, cases};

/// What is measured.
#[plugin(id = "nekro_tests")]
pub struct Measured;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
    let registry = Registry::linked().expect("the declarations fit together");
    let kernel = runtime.block_on(Kernel::builder(registry).start()).expect("there is a runtime");
    let caller = Caller::operator();
    let mut table = Table::new("tool_call", &["A tool call with", "by hand", "nekro", "ratio", "goal"]);
    let map: HashMap<String, ByHand> = cases().into_iter().map(|case| (case.tool, case.by_hand)).collect();
    let run = |by_hand: &ByHand, arguments: &str| match by_hand {
        ByHand::Sync(call) => call(arguments),
        ByHand::Async(call) => now(call(arguments)),
    };
    for case in cases() {
        let subject = || {
            let reply =
                now(kernel.call(black_box(&case.tool), black_box(&case.arguments), &caller)).expect("the arguments are right");
            black_box(reply.json);
        };
        let serde = || {
            let json = run(black_box(&case.by_hand), black_box(&case.arguments)).expect("the arguments are right");
            black_box(json);
        };
        table.compare(case.what, "1.1 ×", 1, serde, subject);
        let by_name = || {
            let json = run(&map[black_box(&case.tool)], black_box(&case.arguments)).expect("the arguments are right");
            black_box(json);
        };
        table.compare(&format!("{}, by name", case.what), "1.1 ×", 1, by_name, subject);
    }
    table.finish();
}
