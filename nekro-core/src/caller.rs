//! Who is asking, and in which conversation.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{PluginId, SessionId, TurnId, UserId};

/// Who is asking, and in which conversation. Given by the host with every call and every decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// Through what the call came.
    pub origin: Origin,
    /// What the person behind it may do.
    pub role: Role,
    /// The person behind it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The conversation it belongs to, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn it belongs to, if one is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// How many plugins have called one another on the way here.
    #[serde(default, skip_serializing_if = "is_none")]
    pub depth: u8,
}

fn is_none(depth: &u8) -> bool {
    *depth == 0
}

impl Caller {
    /// A caller outside any conversation.
    pub fn new(origin: Origin, role: Role) -> Self {
        Self { origin, role, user: None, session: None, turn: None, depth: 0 }
    }

    /// The agent itself: start-up, facts, housekeeping.
    pub fn host() -> Self {
        Self::new(Origin::Host, Role::Admin)
    }

    /// A person at the agent's own terminal, who may do everything.
    pub fn operator() -> Self {
        Self::new(Origin::Person, Role::Admin)
    }

    /// Puts the caller into a conversation.
    #[must_use]
    pub fn in_session(mut self, session: impl Into<SessionId>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Puts the caller into a turn.
    #[must_use]
    pub fn in_turn(mut self, turn: impl Into<TurnId>) -> Self {
        self.turn = Some(turn.into());
        self
    }

    /// Names the person.
    #[must_use]
    pub fn as_user(mut self, user: impl Into<UserId>) -> Self {
        self.user = Some(user.into());
        self
    }
}

/// Through what a call came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
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
    Plugin(PluginId),
    /// The agent itself.
    Host,
}

/// What a person may do, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Knows the agent by nothing more than its address.
    Guest,
    /// A person who talks with the agent.
    User,
    /// Runs a conversation: a group's moderator.
    Manager,
    /// Runs the agent.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guest => "guest",
            Self::User => "user",
            Self::Manager => "manager",
            Self::Admin => "admin",
        })
    }
}
