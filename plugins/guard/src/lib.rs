//! Allows, asks about or denies tools, by configuration.

#![forbid(unsafe_code)]

mod asker;
mod pattern;
mod policy;

use nekro_core::prelude::*;

use crate::{
    asker::{Origin, Role},
    policy::{Action, Policy, Question, Rule},
};

/// Allows, asks about or denies tools, by configuration.
///
/// The first rule that fits a call decides. What no rule fits is judged by `default`, and a tool that may destroy something by the
/// stricter of `destructive` and `default`.
#[plugin(category = "safety")]
#[serde(default)]
pub struct Guard {
    /// The rules, in order: the first that fits decides.
    rules: Vec<Rule>,
    /// What becomes of a call that no rule fits.
    default: Action,
    /// What becomes of it, at least, if the tool may destroy something.
    destructive: Action,
}

impl Default for Guard {
    fn default() -> Self {
        Self { rules: Vec::new(), default: Action::Allow, destructive: Action::Ask }
    }
}

impl Guard {
    fn policy(&self) -> Policy<'_> {
        Policy { rules: &self.rules, default: self.default, destructive: self.destructive }
    }
}

/// Decides by the rules whether a tool may be called.
#[on_event(phase = early)]
fn judge(event: &ToolCall, guard: &Guard) -> Approval {
    let question = Question {
        tool: &event.tool,
        destructive: event.effect.destructive,
        read_only: event.effect.read_only,
        role: role(event.caller.role),
        origin: origin(&event.caller.origin),
    };
    let decision = guard.policy().decide(&question);
    match decision.action {
        Action::Allow => Approval::Allow,
        // A person has said yes to these very arguments; only a rule that denies still counts.
        Action::Ask if event.approved => Approval::Allow,
        Action::Ask => Approval::ask(decision.reason(&event.tool)),
        Action::Deny => Approval::deny(decision.reason(&event.tool)),
    }
}

/// Shows the rules about tools, or which of them decides about one.
#[command(name = "guard", role = admin)]
fn explain(
    guard: &Guard,
    /// The tool, such as files.delete; without it, all rules are shown.
    tool: Option<&str>,
    /// Suppose that it may destroy something.
    #[arg(default)]
    destructive: bool,
    /// Suppose that it changes nothing.
    #[arg(default)]
    read_only: bool,
    /// Suppose that the person has this role: guest, user, manager or admin.
    #[arg(default = Role::User)]
    role: Role,
    /// Suppose that the call comes through this: model, person, schedule, webhook, mcp_client, plugin or host.
    #[arg(default = Origin::Model)]
    origin: Origin,
) -> String {
    match tool {
        Some(tool) => guard.policy().decide(&Question { tool, destructive, read_only, role, origin: Some(origin) }).to_string(),
        None => guard.policy().to_string(),
    }
}

fn role(role: nekro_core::Role) -> Role {
    match role {
        nekro_core::Role::Guest => Role::Guest,
        nekro_core::Role::User => Role::User,
        nekro_core::Role::Manager => Role::Manager,
        nekro_core::Role::Admin => Role::Admin,
    }
}

fn origin(origin: &nekro_core::Origin) -> Option<Origin> {
    use nekro_core::Origin as From;
    match origin {
        From::Model => Some(Origin::Model),
        From::Person => Some(Origin::Person),
        From::Schedule => Some(Origin::Schedule),
        From::Webhook => Some(Origin::Webhook),
        From::McpClient => Some(Origin::McpClient),
        From::Plugin(_) => Some(Origin::Plugin),
        From::Host => Some(Origin::Host),
        _ => None,
    }
}
