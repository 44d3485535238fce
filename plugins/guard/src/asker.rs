//! Who asks for a tool, in the words of the configuration.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the person behind a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Knows the agent by nothing more than its address.
    Guest,
    /// A person who talks with the agent.
    User,
    /// Runs a conversation.
    Manager,
    /// Runs the agent.
    Admin,
}

/// Through what a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
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
    /// Another plugin.
    Plugin,
    /// The agent itself.
    Host,
}

/// The word of the configuration, which is that of serde.
macro_rules! display {
    ($($name:ident)*) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.serialize(f)
                }
            }
        )*
    };
}

display!(Role Origin);
