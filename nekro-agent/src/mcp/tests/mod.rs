//! The server before the SDK's own client.

mod questions;
mod tasks;
mod world;
