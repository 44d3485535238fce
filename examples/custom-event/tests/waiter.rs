//! Another crate, and so another plugin: it listens to the kitchen's event.

use custom_event::{Kitchen, OrderPlaced};
use nekro_core::{prelude::*, testing::Host};
use serde_json::json;

/// A waiter who brings what was ordered.
// `requires` makes sure that the kitchen is linked, and starts first.
#[plugin(id = "waiter", requires = ["kitchen"])]
pub struct Waiter;

/// Brings what was ordered to where it was ordered.
#[on_event]
async fn serve(event: &OrderPlaced, messages: &Messages) -> Result<()> {
    messages.send(format!("Your {}, enjoy!", event.dish)).await?;
    Ok(())
}

#[test]
fn an_order_is_told_to_whoever_listens() {
    // The host starts what the waiter requires as well.
    let host = Host::of::<Waiter>();
    host.call("kitchen.order", json!({ "dish": "soup", "count": 2 })).expect("an order");
    assert_eq!(host.sent(), ["Your soup, enjoy!"]);
    assert_eq!(host.emitted::<OrderPlaced>(), [OrderPlaced { session: Some("test".into()), dish: "soup".into(), count: 2 }]);
}

#[test]
fn the_kitchen_works_when_nobody_listens() {
    let host = Host::of::<Kitchen>();
    for _ in 0..2 {
        host.call("order", json!({ "dish": "soup", "count": 2 })).expect("an order");
    }
    assert_eq!(host.call_as::<u64>("sold", json!({ "dish": "soup" })).expect("a number"), 4);
}

#[test]
fn an_event_can_come_from_outside() {
    let host = Host::of::<Waiter>();
    // As `nekro emit` does it: by name and with JSON.
    host.emit(
        serde_json::from_value::<OrderPlaced>(json!({ "session": "table 4", "dish": "tea", "count": 1 })).expect("an event"),
    );
    assert_eq!(host.sent(), ["Your tea, enjoy!"]);
}
