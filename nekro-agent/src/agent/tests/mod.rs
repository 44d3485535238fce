//! Turns, with a scripted model: no network, no sleeping.

mod calls;
mod decisions;
mod endings;
mod facts;
mod many;
mod probe;
mod prompts;
mod questions;
mod queues;
mod scripts;
mod world;
