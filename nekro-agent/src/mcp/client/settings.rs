//! The section `[mcp_servers]` of the settings.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::{ConfigMistake, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

/// MCP servers whose tools the agent uses: a table to each name, by a program (`command`) or by a URL (`url`). The plugin `mcp` offers what
/// they have as `mcp.<name>.<tool>`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct McpServersSettings(pub(super) BTreeMap<String, McpServer>);

/// A server, and how much of it is put up with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct McpServer {
    /// The program that is the server: its name in the path, or its whole path. It is started without a shell, and speaks over its standard
    /// input and output.
    pub(super) command: Option<String>,
    /// Its arguments.
    pub(super) args: Vec<String>,
    /// Its environment variables, beside `PATH`, `HOME`, `USER`, `LANG`, `TMPDIR` and `TZ`, which are the agent's. It gets no others.
    pub(super) env: BTreeMap<String, Secret<String>>,
    /// The directory that it runs in; without, the agent's.
    pub(super) directory: Option<PathBuf>,
    /// Where the server is, if it speaks streamable HTTP.
    pub(super) url: Option<String>,
    /// Headers of each request to it, such as `Authorization`.
    pub(super) headers: BTreeMap<String, Secret<String>>,
    /// How long it may take from its start until it has listed its tools.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(super) start_deadline: Duration,
    /// How long a call may take.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(super) call_deadline: Duration,
    /// How many bytes one of its messages may have. After a longer one the server is started anew. Over HTTP it is at most 16 MiB for an
    /// answer that is no stream.
    pub(super) message_bytes: usize,
    /// How many messages it may send in a second. After more the server is started anew.
    pub(super) messages_per_second: u32,
    /// How many of its tools are used; the others are left off.
    pub(super) tools: usize,
    /// How many calls of its tools may be under way; one more is refused.
    pub(super) calls_at_once: usize,
    /// How soon its list of tools is asked for again, however often it says that it has changed.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(super) list_interval: Duration,
    /// How soon it is tried again after it was lost. Each time that it fails again, the wait is doubled.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(super) retry_first: Duration,
    /// The longest wait before it is tried again.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(super) retry_most: Duration,
}

impl Default for McpServer {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: None,
            url: None,
            headers: BTreeMap::new(),
            start_deadline: Duration::from_secs(20),
            call_deadline: Duration::from_secs(60),
            message_bytes: 4 * 1024 * 1024,
            messages_per_second: 200,
            tools: 100,
            calls_at_once: 8,
            list_interval: Duration::from_secs(5),
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_secs(300),
        }
    }
}

impl McpServersSettings {
    /// Finds what no value can know by itself: a name that is none, a server that cannot be reached in any way, or in two.
    pub(crate) fn mistakes(&self) -> Vec<ConfigMistake> {
        let mut mistakes = Vec::new();
        for (name, server) in &self.0 {
            let mut mistake = |path: String, problem: &str| mistakes.push(ConfigMistake { path, problem: problem.to_owned() });
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if name.is_empty() || name.len() > 32 || !name.bytes().all(is_part) {
                mistake(name.clone(), "the name of a server has letters, digits, `_` and `-`, and 32 of them at most");
            }
            match (&server.command, &server.url) {
                (None, None) => mistake(name.clone(), "set `command`, or `url`"),
                (Some(_), Some(_)) => mistake(format!("{name}.url"), "a server has a `command` or a `url`, and not both"),
                (Some(command), None) if command.is_empty() => mistake(format!("{name}.command"), "expected a program"),
                (Some(_), None) => {}
                (None, Some(url)) => {
                    if let Err(problem) = address(url, !server.headers.is_empty()) {
                        mistake(format!("{name}.url"), problem);
                    }
                }
            }
        }
        mistakes
    }
}

/// Reads where a server is. A header may be a key, and must not travel in clear to another machine.
fn address(url: &str, has_headers: bool) -> Result<Url, &'static str> {
    let url = Url::parse(url).map_err(|_| "this is no URL")?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("this URL has no host"),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here || !has_headers => Ok(url),
        "http" => Err("its headers would travel in clear: use `https`"),
        _ => Err("expected `https` or `http`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: serde_json::Value) -> Vec<String> {
        let settings: McpServersSettings = serde_json::from_value(json).expect("settings");
        settings.mistakes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_server_is_a_program_or_a_url() {
        use serde_json::json;
        assert_eq!(
            problems(json!({ "a": { "command": "x" }, "b": { "url": "https://b.example/mcp", "headers": { "x": "y" } } })),
            [""; 0]
        );
        assert_eq!(problems(json!({ "c": { "url": "http://127.0.0.1:1/", "headers": { "x": "y" } } })), [""; 0]);
        assert_eq!(
            problems(json!({
                "a": {}, "b": { "command": "x", "url": "https://b.example" }, "c d": { "command": "x" }, "e": { "url": "ftp://x" },
                "f": { "url": "http://f.example", "headers": { "x": "y" } }, "g": { "url": "nowhere" }, "h": { "command": "" },
            })),
            [
                "`a`: set `command`, or `url`",
                "`b.url`: a server has a `command` or a `url`, and not both",
                "`c d`: the name of a server has letters, digits, `_` and `-`, and 32 of them at most",
                "`e.url`: expected `https` or `http`",
                "`f.url`: its headers would travel in clear: use `https`",
                "`g.url`: this is no URL",
                "`h.command`: expected a program",
            ]
        );
    }
}
