//! Offers the tools of MCP servers, under the same rules as linked ones.

#![forbid(unsafe_code)]

mod answer;
mod definition;
mod schema;
mod server;
mod text;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use nekro_core::{Offers, ToolServers, prelude::*, suggest};

use crate::{
    definition::Limits,
    schema::Bounds,
    server::{Follower, Server},
};

/// Offers the tools of MCP servers, under the same rules as linked ones.
///
/// The servers are those of `[mcp_servers]`. What they say is text from outside, and marked as such.
#[plugin(category = "tools")]
#[serde(default)]
pub struct Mcp {
    /// For how many seconds the agent's start waits for the servers. Those that need longer come later.
    #[schemars(range(max = 25))]
    wait_seconds: u64,
    /// What becomes of a tool whose definition is another one than that which was agreed to.
    changed_tools: OnChange,
    /// What becomes of a tool that a server did not have when it was first seen.
    new_tools: OnChange,
    /// How many characters of a tool's description are taken.
    description_chars: usize,
    /// How many bytes the schema of a tool's arguments may have.
    schema_bytes: usize,
    /// How deep that schema may be.
    #[schemars(range(max = 32))]
    schema_depth: usize,
    /// What holds for one server, by its name.
    servers: BTreeMap<String, Options>,
}

impl Default for Mcp {
    fn default() -> Self {
        Self {
            wait_seconds: 10,
            changed_tools: OnChange::Hold,
            new_tools: OnChange::Allow,
            description_chars: 2_000,
            schema_bytes: 32 * 1024,
            schema_depth: 16,
            servers: BTreeMap::new(),
        }
    }
}

/// What becomes of a tool that is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnChange {
    /// It is not offered until an admin has looked at it and says `/mcp trust`.
    Hold,
    /// It is offered as it is now.
    Allow,
}

/// What holds for one server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// Whether to believe what the server says its tools do to the world. Without, each of them may destroy something, and guards ask.
    trust_hints: bool,
    /// The tools that are wanted, by their names at the server; a `*` stands for any characters.
    tools: Vec<String>,
    /// Those of them that are not.
    except: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { trust_hints: false, tools: vec!["*".to_owned()], except: Vec::new() }
    }
}

impl Options {
    /// Tells whether a tool is wanted.
    pub(crate) fn wants(&self, tool: &str) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| is_like(tool, pattern));
        fits(&self.tools) && !fits(&self.except)
    }
}

/// The servers that are followed.
pub(crate) struct Hub(BTreeMap<String, Arc<Server>>);

/// Connects to the servers, and waits for them a little.
#[init]
async fn connect(mcp: &Mcp, servers: &ToolServers, offers: &Offers, store: &Store, clock: &Clock) -> Result<Hub> {
    let names = servers.names();
    if let Some(unknown) = mcp.servers.keys().find(|name| !names.contains(name)) {
        let error = Error::new(format!("`servers.{unknown}` is about a server that is not named")).with_code("unknown_server");
        return Err(match suggest(unknown, names.iter().map(String::as_str)) {
            Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
            None => error.with_hint(format!("name it in the settings, as `[mcp_servers.{unknown}]`")),
        });
    }
    let limits =
        Limits { description: mcp.description_chars, schema: Bounds { bytes: mcp.schema_bytes, depth: mcp.schema_depth } };
    let mut hub = BTreeMap::new();
    let mut links = Vec::new();
    for name in names {
        let options = mcp.servers.get(&name).cloned().unwrap_or_default();
        let server = Server::new(&name, (options, limits), (mcp.changed_tools, mcp.new_tools), (offers.clone(), store.clone()));
        let link = servers.follow(&name, Arc::new(Follower(Arc::downgrade(&server))))?;
        server.is_linked_by(Arc::clone(&link));
        links.push(link);
        hub.insert(name, server);
    }
    let began = clock.now();
    for link in links {
        let waited = clock.now().duration_since(began).unsigned_abs();
        link.settled(Duration::from_secs(mcp.wait_seconds).saturating_sub(waited)).await;
    }
    Ok(Hub(hub))
}

/// Lets the servers go.
#[cleanup]
fn leave(hub: &Hub) {
    hub.0.values().for_each(|server| server.leave());
}

/// Tells how the MCP servers are doing, which of their tools are not offered, and why.
#[command(name = "mcp", role = admin)]
fn status(hub: &Hub) -> String {
    if hub.0.is_empty() {
        return "No MCP server is named: name one in the settings, as `[mcp_servers.files]`.".to_owned();
    }
    hub.0.values().map(|server| server.status()).collect::<Vec<_>>().join("\n")
}

/// Lets tools of an MCP server in whose definitions are not those that were agreed to.
#[command(group = "mcp", role = admin)]
async fn trust(
    hub: &Hub,
    /// The server.
    server: &str,
    /// The tool; without it, all that wait.
    tool: Option<&str>,
) -> Result<String> {
    let Some(found) = hub.0.get(server) else {
        let error = Error::new(format!("no MCP server `{server}` is named")).with_code("unknown_server");
        return Err(match suggest(server, hub.0.keys().map(String::as_str)) {
            Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
            None => error,
        });
    };
    found.trust(tool).await
}

/// Tells whether a name is like a pattern, in which `*` stands for any characters.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (name, pattern, like) in [
            ("read", "read", true),
            ("read", "*", true),
            ("read_file", "read_*", true),
            ("read_file", "*_file", true),
            ("read_file", "r*_f*e", true),
            ("read_file", "write_*", false),
            ("ab", "ab*b", false),
            ("", "*", true),
        ] {
            assert_eq!(is_like(name, pattern), like, "{name} {pattern}");
        }
    }
}
