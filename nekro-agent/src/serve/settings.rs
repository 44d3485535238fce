//! The section `[serve]` of the settings: where the agent listens, who may come, and how much they may ask for.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::{Role, Secret, policy::Rate};
use schemars::JsonSchema;
use serde::Deserialize;

/// The server that `nekro serve` is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeSettings {
    /// The address and the port, such as `127.0.0.1:8642`. Port 0 takes one that is free.
    pub(crate) listen: SocketAddr,
    /// A Unix socket to listen on besides; only its owner may connect.
    pub(crate) socket: Option<PathBuf>,
    /// Whether callers have to show a token. Without, everybody is an `admin`, and `listen` must be an address of this machine only.
    pub(crate) auth: bool,
    /// Tokens beside the one that was made at the first start, each under the name of whoever has it.
    pub(crate) tokens: BTreeMap<String, TokenSettings>,
    /// Names under which the server is reached, such as `agent.example.org`. `localhost` and plain addresses always count.
    pub(crate) hosts: Vec<String>,
    /// How often each caller may ask, such as `600/1m`.
    #[schemars(with = "String")]
    pub(crate) rate: Rate,
    /// How many callers are told apart; more are refused for a while.
    pub(crate) rate_callers: usize,
    /// How many bytes the body of a request may have.
    pub(crate) body_bytes: usize,
    /// How many bytes the head of a request may have. At least 8192.
    pub(crate) header_bytes: usize,
    /// How long a request may take to come in: its head, and then its body.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) receive_deadline: Duration,
    /// How many connections there may be at the same time. One more waits.
    pub(crate) connections: usize,
    /// How many streams of events there may be at the same time.
    pub(crate) streams: usize,
    /// How many events are kept for those who lost their connection.
    pub(crate) kept_events: usize,
    /// How long turns that are under way may go on after the server was told to end.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) shutdown_deadline: Duration,
    /// How often a webhook that failed is tried again, each time after twice as long.
    pub(crate) webhook_retries: u32,
    /// How old the signed time of a webhook may be, where its sender signs one.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) webhook_age: Duration,
    /// How long the ids of webhooks are remembered that were handled: one that comes again is not handled again.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) webhook_memory: Duration,
}

/// A token, and what its holder may do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenSettings {
    /// The token: at least 16 characters.
    pub(crate) token: Secret<String>,
    /// What its holder may do: `guest`, `user`, `manager` or `admin`.
    #[serde(default = "user")]
    pub(crate) role: Role,
}

fn user() -> Role {
    Role::User
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8642)),
            socket: None,
            auth: true,
            tokens: BTreeMap::new(),
            hosts: Vec::new(),
            rate: "600/1m".parse().expect("a rate"),
            rate_callers: 10_000,
            body_bytes: 4 * 1024 * 1024,
            header_bytes: 32 * 1024,
            receive_deadline: Duration::from_secs(30),
            connections: 512,
            streams: 128,
            kept_events: 4_096,
            shutdown_deadline: Duration::from_secs(30),
            webhook_retries: 5,
            webhook_age: Duration::from_secs(5 * 60),
            webhook_memory: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

/// The shortest token of the settings, in characters: one that nobody guesses within the rates.
pub(super) const SHORTEST_TOKEN: usize = 16;

impl ServeSettings {
    /// Returns what is wrong with the section as a whole, each with the way out.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !self.auth && !self.listen.ip().is_loopback() {
            mistakes.push(format!(
                "`serve.listen` is {}, which others reach, and `serve.auth` is false: leave one of the two at its default",
                self.listen
            ));
        }
        for (name, token) in &self.tokens {
            let is_plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || matches!(one, '_' | '-');
            if name.is_empty() || !name.chars().all(is_plain) || name == OPERATOR || name == GUEST {
                mistakes.push(format!(
                    "`serve.tokens.{name}`: a holder's name has lower case letters, digits, `_` and `-`, and is not `{OPERATOR}` or `{GUEST}`"
                ));
            }
            if token.token.expose().chars().count() < SHORTEST_TOKEN {
                mistakes.push(format!(
                    "`serve.tokens.{name}.token` has fewer than {SHORTEST_TOKEN} characters: make one by `openssl rand -hex 32`"
                ));
            }
        }
        mistakes
    }
}

/// Whoever has the token that was made at the first start.
pub(super) const OPERATOR: &str = "operator";

/// Whoever has none.
pub(super) const GUEST: &str = "guest";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_elsewhere_without_auth_is_refused() {
        let listening = |listen: &str, auth| {
            let listen = listen.parse().expect("an address");
            ServeSettings { listen, auth, ..ServeSettings::default() }.mistakes().len()
        };
        assert_eq!([listening("127.0.0.1:1", false), listening("[::1]:1", false), listening("0.0.0.0:1", true)], [0, 0, 0]);
        assert_eq!([listening("0.0.0.0:1", false), listening("192.168.1.2:1", false), listening("[::]:1", false)], [1, 1, 1]);
    }

    #[test]
    fn a_token_that_could_be_guessed_or_that_takes_anothers_name_is_refused() {
        let token = |text: &str| TokenSettings { token: Secret::new(text.to_owned()), role: Role::User };
        for (name, text, mistakes) in
            [("ada", "0123456789abcdef", 0), ("ada", "short", 1), ("operator", "0123456789abcdef", 1), ("a:b", "x", 2)]
        {
            let tokens = [(name.to_owned(), token(text))].into();
            assert_eq!(ServeSettings { tokens, ..ServeSettings::default() }.mistakes().len(), mistakes, "{name} {text}");
        }
    }
}
