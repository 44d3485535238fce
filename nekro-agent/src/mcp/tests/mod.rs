//! The server before the SDK's own client.

mod tasks;
mod world;
