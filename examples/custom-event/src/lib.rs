//! A plugin that exports an event: a kitchen that tells everybody about its orders.
//!
//! Whoever depends on this crate can listen, and is told in their own time: `tests/waiter.rs` is such a plugin. The event has a name on
//! the wire too, `kitchen.order_placed`, so that a person can emit it:
//! `nekro emit kitchen.order_placed --fields '{"dish": "soup", "count": 1}'`.

#![forbid(unsafe_code)]

use nekro_core::prelude::*;

/// A kitchen that takes orders.
#[plugin(id = "kitchen")]
pub struct Kitchen;

/// A dish was ordered.
// A fact is named for what has happened. Its fields are a promise to other crates, and its JSON Schema one to everybody else.
#[event]
#[derive(Debug, PartialEq)]
pub struct OrderPlaced {
    /// The conversation it was ordered in, if it was in one: listeners act in the same, and are told in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What was ordered.
    pub dish: String,
    /// How many of it.
    pub count: u8,
}

/// Orders a dish.
#[tool]
fn order(
    ctx: &Ctx,
    // Whoever takes `&Events` may emit: that is one of the plugin's permissions.
    events: &Events,
    /// What to order, such as "soup".
    dish: String,
    /// How many of it.
    #[arg(default = 1, range = 1..=12)]
    count: u8,
) -> String {
    let told = format!("{count} × {dish}: coming up");
    // This does not wait for anybody who listens, and cannot fail because of them.
    events.emit(OrderPlaced { session: ctx.session().cloned(), dish, count });
    told
}

/// Counts what was ordered, dish by dish.
// A plugin can listen to its own events, just as others can.
#[on_event]
async fn count(event: &OrderPlaced, store: &Store) -> Result<()> {
    let count = u64::from(event.count);
    store.update(&event.dish, |sold: Option<u64>| sold.unwrap_or_default().saturating_add(count)).await?;
    Ok(())
}

/// Tells how often a dish was ordered.
#[tool(read_only)]
async fn sold(
    store: &Store,
    /// The dish, such as "soup".
    dish: &str,
) -> Result<u64> {
    Ok(store.get(dish).await?.unwrap_or_default())
}
