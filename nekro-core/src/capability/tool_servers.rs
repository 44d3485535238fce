//! Servers that have tools, such as MCP servers: those that the operator names, and no others.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{CapabilityDecl, Progress};
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    kernel::Gate,
    lend::{Lend, Loan},
    output::Part,
    plugin::Plugin,
};

/// Servers that have tools, such as MCP servers: those that the operator names, and no others.
///
/// The host starts their programs, opens their connections, keeps their keys and their limits (`[mcp_servers]` in the settings), and
/// connects again to one that has gone. A plugin chooses among the names, and never sees how a server is reached.
#[derive(Clone)]
pub struct ToolServers {
    // An agent without such servers is one where none is named.
    port: Option<Arc<dyn ToolServersPort>>,
    gate: Option<Arc<Gate>>,
}

/// What connects to servers. Implemented by the host.
pub trait ToolServersPort: Send + Sync {
    /// Returns the servers that the operator names, sorted.
    fn names(&self) -> Vec<String>;

    /// Connects to a server, and stays connected until the link is dropped: `follower` is told of each list of tools and of each loss.
    ///
    /// # Errors
    ///
    /// `unknown_server`. A server that cannot be reached is no error here: the follower is told.
    fn follow(&self, server: &str, follower: Arc<dyn ToolServerFollower>) -> Result<Arc<dyn ToolServerLink>>;
}

/// Is told what becomes of a server. Implemented by the plugin, called by the host, one call after the other.
pub trait ToolServerFollower: Send + Sync {
    /// The server is there, and these are its tools: after connecting, and whenever it says that the list has changed.
    /// `left_off` tells that it has more than are used.
    fn listed(&self, tools: Vec<ServerTool>, left_off: bool) -> BoxFuture<'_, ()>;

    /// The server is not there, and why. It is tried again.
    fn lost(&self, problem: Error);
}

/// A server that is followed. Dropped, it is let go, and its program is ended.
pub trait ToolServerLink: Send + Sync {
    /// Waits until the server is there or the first attempt has failed, for so long at most.
    fn settled(&self, limit: Duration) -> BoxFuture<'_, ()>;

    /// Calls a tool by the name that it has at the server. What the server says of how far it has come is passed on to `progress`.
    ///
    /// # Errors
    ///
    /// `unavailable` while the server is not there, `timeout`, `busy`, and `server_failed` with what the server says. That a tool failed
    /// is no error here.
    fn call<'a>(
        &'a self,
        tool: &'a str,
        arguments: Map<String, Value>,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<ServerAnswer>>;
}

/// A tool as a server describes it. Nothing of it is to be trusted.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by hosts and by tests")]
pub struct ServerTool {
    /// Its name at the server.
    pub name: String,
    /// What the server says it does.
    pub description: String,
    /// Describes the arguments.
    pub arguments: Value,
    /// Describes the structured answer, if there is one.
    pub output: Option<Value>,
    /// What the server says that it does to the world; what it does not say is `None`.
    pub read_only: Option<bool>,
    /// Whether it may destroy something.
    pub destructive: Option<bool>,
    /// Whether calling it twice is the same as calling it once.
    pub idempotent: Option<bool>,
}

/// What a tool of a server answered. Nothing of it is to be trusted.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by hosts and by tests")]
pub struct ServerAnswer {
    /// Text and images.
    pub parts: Vec<Part>,
    /// The structured answer, if there is one.
    pub data: Option<Value>,
    /// Whether the tool says that it failed.
    pub failed: bool,
}

impl ToolServers {
    /// Returns the servers that the operator names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.port.as_ref().map(|port| port.names()).unwrap_or_default()
    }

    /// Connects to a server, as [`ToolServersPort::follow`] says.
    ///
    /// # Errors
    ///
    /// `unknown_server`.
    pub fn follow(&self, server: &str, follower: Arc<dyn ToolServerFollower>) -> Result<Arc<dyn ToolServerLink>> {
        let Some(port) = &self.port else {
            return Err(Error::new(format!("no server `{server}` is named")).with_code("unknown_server"));
        };
        let link = port.follow(server, follower)?;
        Ok(match &self.gate {
            Some(gate) => Arc::new(GatedLink { link, gate: Arc::clone(gate) }),
            None => link,
        })
    }
}

/// A link whose calls are let through or refused by what the policy says of the capability.
struct GatedLink {
    link: Arc<dyn ToolServerLink>,
    gate: Arc<Gate>,
}

impl ToolServerLink for GatedLink {
    fn settled(&self, limit: Duration) -> BoxFuture<'_, ()> {
        self.link.settled(limit)
    }

    fn call<'a>(
        &'a self,
        tool: &'a str,
        arguments: Map<String, Value>,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<ServerAnswer>> {
        Box::pin(self.gate.pass(self.link.call(tool, arguments, progress)))
    }
}

impl fmt::Debug for ToolServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolServers").field(&self.names()).finish()
    }
}

static TOOL_SERVERS: CapabilityDecl = CapabilityDecl {
    name: "tool_servers",
    summary: "calls the tools of the servers that the operator names, and has their programs started",
    scope: None,
    provided: |_| true,
};

impl<P: Plugin> Lend<P> for ToolServers {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&TOOL_SERVERS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.kernel.ports().get::<dyn ToolServersPort>().ok().cloned();
        Ok(Loan::Handle(Self { port, gate: call.kernel.gate(call.plugin.decl().id, TOOL_SERVERS.name).cloned() }))
    }
}
