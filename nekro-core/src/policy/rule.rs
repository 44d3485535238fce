//! Who may call what, and how often.

use std::{fmt, str::FromStr, time::Duration};

use jiff::fmt::friendly::SpanParser;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Entry, matches, place};
use crate::{
    caller::{Caller, Origin, Role},
    route::Method,
};

/// A rule about tools, commands and routes. It only ever forbids: a call must meet every rule that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// What it is called; for messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tools that it is about, such as `notes.save`; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Entry>,
    /// The commands that it is about, without the slash; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Entry>,
    /// The routes that it is about, such as `POST /p/board/cards` or, by whatever method, `/p/board/*`; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Entry>,
    /// Whether nobody may call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deny: bool,
    /// The least that a caller must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Through what a call must come; `None` for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<OriginKind>>,
    /// How often each caller may call each of the tools, commands and routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Whether a person has to approve each call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask: bool,
    /// The line where it begins.
    pub line: u32,
}

/// Through what a call came, without which plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OriginKind {
    /// A language model decided to call.
    Model,
    /// A person typed it, or pressed a button.
    Person,
    /// A schedule was due.
    Schedule,
    /// Another system's webhook.
    Webhook,
    /// A client of the MCP server.
    McpClient,
    /// A client of the HTTP server.
    HttpClient,
    /// Another plugin.
    Plugin,
    /// The agent itself.
    Host,
}

/// How often something may be done: so often at once, and then evenly over the time. Written like `10/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    // Invariant: from 1 to `MOST_CALLS` calls in a time from `SHORTEST` to `LONGEST`, so that a call has a time above 0.
    calls: u32,
    time: Duration,
}

/// The most calls of a rate.
const MOST_CALLS: u32 = 1_000_000;
/// The shortest time of a rate.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest time of a rate.
const LONGEST: Duration = Duration::from_secs(10_000 * 60 * 60);

impl Rule {
    /// Tells whether it is about a tool.
    pub fn fits_tool(&self, name: &str) -> bool {
        self.tools.iter().any(|pattern| matches(&pattern.text, name))
    }

    /// Tells whether it is about a command of this name, or with this alias. What is said of a group is said of all that is in it.
    pub fn fits_command(&self, name: &str) -> bool {
        let group = name.split_once(' ').map(|(group, _)| group);
        self.commands
            .iter()
            .any(|pattern| matches(&pattern.text, name) || group.is_some_and(|group| matches(&pattern.text, group)))
    }

    /// Tells whether it is about a route: `path` is the whole path as it is declared, such as `/p/board/cards/{id}`. What is said of one
    /// method is said of a router, which has all of them.
    pub fn fits_route(&self, method: Method, path: &str) -> bool {
        self.routes.iter().any(|pattern| is_about(&pattern.text, method, path))
    }
}

/// Tells whether a pattern of routes is about one.
pub(super) fn is_about(pattern: &str, method: Method, path: &str) -> bool {
    match pattern.split_once(' ') {
        Some((by, pattern)) => (method == Method::Any || matches(by, method.name())) && matches(pattern.trim_start(), path),
        None => matches(pattern, path),
    }
}

/// As messages name it: ``the rule `calm` at nekro.policy.toml:12``.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the rule `{name}` at {}", place(self.line)),
            None => write!(f, "the rule at {}", place(self.line)),
        }
    }
}

impl OriginKind {
    /// Returns through what a call came.
    pub fn of(caller: &Caller) -> Self {
        match caller.origin {
            Origin::Model => Self::Model,
            Origin::Person => Self::Person,
            Origin::Schedule => Self::Schedule,
            Origin::Webhook => Self::Webhook,
            Origin::McpClient => Self::McpClient,
            Origin::HttpClient => Self::HttpClient,
            Origin::Plugin(_) => Self::Plugin,
            Origin::Host => Self::Host,
        }
    }

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Person => "person",
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::McpClient => "mcp_client",
            Self::HttpClient => "http_client",
            Self::Plugin => "plugin",
            Self::Host => "host",
        }
    }
}

impl Rate {
    /// Returns how many calls may come at once.
    pub fn calls(self) -> u32 {
        self.calls
    }

    /// Returns after what time as many may come again.
    pub fn time(self) -> Duration {
        self.time
    }

    /// Returns the time of one call: above 0, and rounded down.
    pub(crate) fn step(self) -> Duration {
        self.time / self.calls
    }
}

/// A text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateError;

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a rate such as \"10/1m\": from 1 to {MOST_CALLS} calls, `/`, and a time from 1ms to 10000h")
    }
}

impl std::error::Error for RateError {}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (calls, time) = text.split_once('/').ok_or(RateError)?;
        let calls = calls.trim().parse().ok().filter(|calls| (1..=MOST_CALLS).contains(calls)).ok_or(RateError)?;
        let time = SpanParser::new().parse_unsigned_duration(time.trim()).ok();
        let time = time.filter(|time| (SHORTEST..=LONGEST).contains(time)).ok_or(RateError)?;
        Ok(Self { calls, time })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::fmt::friendly::SpanPrinter::new().unsigned_duration_to_string(&self.time);
        write!(f, "{}/{time}", self.calls)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_about_a_route_names_its_path_and_perhaps_its_method() {
        let path = "/p/board/cards/{id}";
        for pattern in
            ["/p/board/cards/{id}", "/p/board/*", "*", "PATCH /p/board/*", "PATCH /p/board/cards/{id}", "P* /p/*", "* *"]
        {
            assert!(is_about(pattern, Method::Patch, path), "{pattern}");
        }
        for pattern in ["", "/p/board", "/p/board/cards", "POST /p/board/*", "GET *", "PATCH", "patch /p/board/*"] {
            assert!(!is_about(pattern, Method::Patch, path), "{pattern}");
        }
        assert!(is_about("POST /p/chat/room", Method::Any, "/p/chat/room"), "a router has every method");
    }

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        for (text, calls, seconds) in
            [("10/1m", 10, 60), ("1/1s", 1, 1), (" 3 / 2 hours ", 3, 7_200), ("1/10000h", 1, 36_000_000)]
        {
            let rate: Rate = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((rate.calls(), rate.time()), (calls, Duration::from_secs(seconds)), "{text}");
            assert_eq!(rate.to_string().parse(), Ok(rate), "it is written as it is read");
        }
        for wrong in
            ["", "10", "10/", "/1m", "0/1m", "-1/1m", "10/0s", "10/m", "1000001/1s", "1/10001h", "1/1d", "1/1us", "1/1m/1s"]
        {
            assert_eq!(wrong.parse::<Rate>(), Err(RateError), "{wrong}");
        }
    }
}
