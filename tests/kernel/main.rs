//! The kernel under attack: what it promises, with plugins that behave as badly as they are told.

mod calls;
mod channels;
mod configuration;
mod decisions;
mod events;
mod facts;
mod lifecycle;
mod presence;
mod prompt;
mod registry;
mod store;
mod world;
