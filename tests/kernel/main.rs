//! The kernel under attack: what it promises, with plugins that behave as badly as they are told.

mod calls;
mod channels;
mod configuration;
mod decisions;
mod events;
mod facts;
mod lifecycle;
mod peers;
mod policy;
mod presence;
mod prompt;
mod registry;
mod store;
#[path = "../conformance/store.rs"]
mod store_rules;
mod world;
