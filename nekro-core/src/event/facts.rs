//! What happens in an agent.
//!
//! Handlers observe facts: they are called later, in the order in which the facts of a session came, and cannot hold anything up.

use nekro_macros::event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    capability::SandboxPath,
    ids::{CallId, MessageId, PluginId, SessionId, TaskId, TurnId, UserId},
    task::TaskState,
};

/// How a tool call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// With an answer.
    Ok,
    /// With an error.
    Failed,
    /// A guard, a person or the policy refused it.
    Denied,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnOutcome {
    /// With an answer.
    Answered,
    /// Without one, as intended.
    Silent,
    /// Somebody stopped it.
    Cancelled,
    /// It failed.
    Failed,
    /// It reached a limit.
    Limit,
}

/// A message came in and was stored.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct MessageReceived {
    /// The conversation.
    pub session: SessionId,
    /// Which.
    pub message: MessageId,
    /// Who wrote it, if the channel says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What it says, as it came.
    pub text: String,
}

/// A message was taken from its session's queue.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ProcessingStarted {
    /// The conversation.
    pub session: SessionId,
    /// Which.
    pub message: MessageId,
}

/// A message that came during a turn was put into it.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct MessageInjected {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// Which.
    pub message: MessageId,
    /// What it says.
    pub text: String,
}

/// A message went out and was accepted by its channel.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct MessageSent {
    /// The conversation.
    pub session: SessionId,
    /// Which.
    pub message: MessageId,
    /// What it says.
    pub text: String,
    /// The plugin that sent it; none if it is the agent's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
}

/// A turn began.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct TurnBegin {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The message that it answers; none if a schedule or a plugin began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// The model is being asked.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct LlmThinking {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// Which model.
    pub model: String,
    /// The how manieth request of the turn, from 1.
    pub round: u32,
}

/// A part of the model's answer came.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct LlmResponseChunk {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The part.
    pub text: String,
}

/// The model answered, and this is what it cost.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct LlmUsage {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The plugin that asked; none if the agent did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
    /// Which model.
    pub model: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Of the tokens read, those that came from the provider's cache.
    pub cached_tokens: u64,
}

/// The model could not be reached, and is asked again.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct LlmRetry {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// Which model.
    pub model: String,
    /// The how manieth attempt follows, from 2.
    pub attempt: u32,
    /// Why the one before failed.
    pub reason: String,
}

/// Another model takes over.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct LlmFallback {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The model that failed.
    pub from: String,
    /// The model that is asked instead.
    pub to: String,
    /// Why.
    pub reason: String,
}

/// A tool is about to run: the guards have allowed it.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ToolCallStarted {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Which call.
    pub call: CallId,
    /// The tool, such as `dice.roll`.
    pub tool: String,
    /// What the caller gives.
    pub arguments: serde_json::Value,
}

/// A tool has run, or was refused.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ToolExecuted {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Which call.
    pub call: CallId,
    /// The tool, such as `dice.roll`.
    pub tool: String,
    /// How it ended.
    pub outcome: ToolOutcome,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// A person is asked whether a tool may run.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ApprovalRequired {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Which call.
    pub call: CallId,
    /// The tool, such as `files.delete`.
    pub tool: String,
    /// What it would be called with.
    pub arguments: serde_json::Value,
    /// Why a person has to say.
    pub reason: String,
}

/// A person has said whether a tool may run, or nobody has.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ApprovalResolved {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The turn, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Which call.
    pub call: CallId,
    /// Whether it may run.
    pub approved: bool,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// The turn has its answer.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct FinalAnswer {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The answer.
    pub text: String,
}

/// A turn ended. Comes exactly once for every turn that began.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct TurnComplete {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// How it ended.
    pub outcome: TurnOutcome,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// The agent began or stopped working in a session.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct AgentBusyChanged {
    /// The conversation.
    pub session: SessionId,
    /// Whether it is working.
    pub busy: bool,
}

/// What was cut from the history was summed up.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct SummaryUpdated {
    /// The conversation.
    pub session: SessionId,
    /// The summary.
    pub summary: String,
}

/// A conversation began.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct SessionCreated {
    /// The conversation.
    pub session: SessionId,
    /// The kind of place, such as `terminal`.
    pub channel: String,
    /// Who opened it, if the channel says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// A conversation was reset: its history no longer counts.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct SessionClear {
    /// The conversation.
    pub session: SessionId,
}

/// The agent of a session moved to another state.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct StateTransition {
    /// The conversation.
    pub session: SessionId,
    /// The state before.
    pub from: String,
    /// The state now.
    pub to: String,
}

/// A task has ended.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct TaskEnded {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The task.
    pub task: TaskId,
    /// Whose it is.
    pub plugin: PluginId,
    /// What it was, such as `build`.
    pub name: String,
    /// How it ended.
    pub state: TaskState,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A schedule was set up.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ScheduleCreated {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Its name.
    pub schedule: String,
    /// Whose it is; none if it is the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
}

/// A schedule was due.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ScheduleFired {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Its name.
    pub schedule: String,
    /// Whose it is; none if it is the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
}

/// A schedule was removed, or paused after failures.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ScheduleCancelled {
    /// The conversation, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Its name.
    pub schedule: String,
    /// Whose it is; none if it is the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
    /// Why.
    pub reason: String,
}

/// A plugin runs: the agent started, or it was enabled.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct PluginStarted {
    /// Which.
    pub plugin: PluginId,
}

/// A plugin no longer runs: it was disabled.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct PluginStopped {
    /// Which.
    pub plugin: PluginId,
}

/// A plugin could not start.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct PluginFailed {
    /// Which.
    pub plugin: PluginId,
    /// Why.
    pub reason: String,
}

/// A plugin's configuration was replaced; the next call sees the new one.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct ConfigChanged {
    /// Whose.
    pub plugin: PluginId,
}

/// A plugin offers other tools than before: tools that are not linked, which it knows of only while it runs.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct OffersChanged {
    /// Whose.
    pub plugin: PluginId,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is there now.
    Created,
    /// Something else is in it.
    Written,
    /// It is gone.
    Removed,
}

/// A plugin changed a file that it shows to MCP clients.
#[event(builtin)]
#[derive(Debug, PartialEq)]
pub struct SharedFileChanged {
    /// Whose.
    pub plugin: PluginId,
    /// Where it is in the plugin's own directory.
    pub path: SandboxPath,
    /// What became of it.
    pub change: FileChange,
}
