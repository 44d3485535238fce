//! Turns, with a scripted model: no network, no sleeping.

mod decisions;
mod probe;
mod world;
