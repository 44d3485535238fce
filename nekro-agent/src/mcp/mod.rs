//! MCP: the agent's tools for other programs, such as editors and desktop assistants.
//!
//! The only room that knows MCP messages, of both sides: `client/` is the other one, which has the tools of other servers for the plugin `mcp`. [`Server`] answers one client over any stream of lines; `nekro mcp` gives it standard input and
//! output. What a client sees and may call is what the kernel says of a caller with the origin `mcp_client`.

mod approval;
mod changes;
mod client;
mod command;
mod content;
mod elicit;
mod follower;
#[cfg(feature = "http")]
mod http;
mod limits;
mod lines;
mod log;
mod news;
mod progress;
mod prompts;
mod questions;
mod resources;
mod server;
mod tasks;
#[cfg(test)]
mod tests;
mod tools;

#[cfg(feature = "http")]
pub(crate) use self::http::{Asking, service};
pub(crate) use self::{
    approval::Client,
    changes::Changes,
    client::{McpServersSettings, Servers},
    command::{Served, run},
    questions::Questions,
    tasks::Tasks,
};
pub use self::{limits::Limits, server::Server};
