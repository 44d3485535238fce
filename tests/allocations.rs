//! What is promised to allocate nothing, allocates nothing.

#[path = "benches/handlers/mod.rs"]
mod handlers;
#[path = "benches/now/mod.rs"]
mod now;
#[path = "benches/tools/mod.rs"]
mod tools;

use allocation_counter::measure;
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

#[tokio::test]
async fn a_synchronous_handler_allocates_nothing() {
    for handlers in [1, 10, 1_000] {
        let kernel = handlers::kernel("weigh_sync", handlers, 1).await;
        let (event, caller) = (handlers::question(), Caller::operator());
        let info = measure(|| drop(now(kernel.decide(event, &caller))));
        assert_eq!(info.count_total, 0, "with {handlers} handlers");
    }
}

#[tokio::test]
async fn an_asynchronous_handler_allocates_its_future() {
    for handlers in [1, 10, 1_000] {
        let kernel = handlers::kernel("weigh_async", handlers, 1).await;
        let (event, caller) = (handlers::question(), Caller::operator());
        let info = measure(|| drop(now(kernel.decide(event, &caller))));
        assert_eq!(info.count_total, handlers as u64);
    }
}

#[test]
fn a_fact_allocates_the_same_for_any_number_of_synchronous_handlers() {
    let allocations = [1, 1_000].map(|handlers| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
        let kernel = runtime.block_on(handlers::kernel("look_sync", handlers, 1));
        let emit = || {
            runtime.block_on(async {
                kernel.emit(handlers::happened());
                kernel.idle().await;
            })
        };
        emit();
        measure(emit).count_total
    });
    assert_eq!(allocations[0], allocations[1]);
}

#[test]
fn finding_a_tool_allocates_nothing() {
    let registry = Registry::linked().expect("the declarations fit together");
    let info = measure(|| assert!(registry.tool("nekro_tests.plan").is_some() && registry.tool("nekro_tests.plane").is_none()));
    assert_eq!(info.count_total, 0);
}

#[tokio::test]
async fn a_tool_call_allocates_what_it_would_by_hand() {
    let registry = Registry::linked().expect("the declarations fit together");
    let kernel = Kernel::builder(registry).start().await.expect("there is a runtime");
    let caller = Caller::operator();
    for case in cases() {
        let by_hand = measure(|| match case.by_hand {
            ByHand::Sync(call) => drop(call(&case.arguments)),
            ByHand::Async(call) => drop(now(call(&case.arguments))),
        });
        let ours = measure(|| drop(now(kernel.call(&case.tool, &case.arguments, &caller))));
        assert_eq!(ours.count_total, by_hand.count_total, "{}", case.what);
    }
}
