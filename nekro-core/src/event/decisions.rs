//! What is decided in an agent: the points at which plugins have a say.
//!
//! Handlers are awaited in the order of phase, priority and plugin id. What one of them changes, the next one sees.

use nekro_macros::event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Signal;
use super::verdict::{Additions, Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Suppression, TurnGate};
use crate::{
    caller::Caller,
    ids::{CallId, MessageId, PluginId, SessionId, TurnId, UserId},
    tool::Effect,
};

/// When in a turn messages may be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterceptStage {
    /// Before the model is asked for the first time.
    BeforeModel,
    /// After a round of tool calls, before the model is asked again.
    AfterTools,
    /// Before the final answer is sent.
    BeforeAnswer,
}

/// A person's message came in: what becomes of it? Answered with [`Incoming`], or with a bare [`Signal`].
#[event(builtin, decision = Incoming, revise = user_message)]
#[derive(Debug, PartialEq)]
pub struct UserMessage {
    /// The conversation.
    pub session: SessionId,
    /// Which.
    pub message: MessageId,
    /// Who wrote it, if the channel says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What it says.
    pub text: String,
}

/// A plugin or a schedule put a message in: what becomes of it? Answered with [`Incoming`], or with a bare [`Signal`].
#[event(builtin, decision = Incoming, revise = system_message)]
#[derive(Debug, PartialEq)]
pub struct SystemMessage {
    /// The conversation.
    pub session: SessionId,
    /// Which.
    pub message: MessageId,
    /// Who put it in; none if it is the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginId>,
    /// What it says.
    pub text: String,
}

/// A file came with a message: may it be taken in? Answered with [`Approval`].
#[event(builtin, decision = Approval)]
#[derive(Debug, PartialEq)]
pub struct Attachment {
    /// The conversation.
    pub session: SessionId,
    /// With which message.
    pub message: MessageId,
    /// The file's name, as it came: not to be trusted.
    pub name: String,
    /// The media type, such as `image/png`.
    pub media_type: String,
    /// The size in bytes.
    pub bytes: u64,
}

/// A message came while the agent works: what is it told? Answered with [`Rewrite`].
#[event(builtin, decision = Rewrite, revise = busy_message)]
#[derive(Debug, PartialEq)]
pub struct BusyMessage {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// Which.
    pub message: MessageId,
    /// What the agent would say; empty for nothing.
    pub text: String,
}

/// A turn is about to begin: does it need a model? Answered with [`TurnGate`].
#[event(builtin, decision = TurnGate)]
#[derive(Debug, PartialEq)]
pub struct TurnStarting {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The message that it answers.
    pub text: String,
}

/// A turn begins: what is added to it? Answered with [`Additions`].
#[event(builtin, decision = Additions)]
#[derive(Debug, PartialEq)]
pub struct TurnContext {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The message that it answers.
    pub text: String,
}

/// A turn begins: what of the agent's own is left out? Answered with [`Suppression`].
#[event(builtin, decision = Suppression)]
#[derive(Debug, PartialEq)]
pub struct BuiltinUse {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The agent's own tools and prompt sections.
    pub names: Vec<String>,
}

/// The model is about to be asked, or its answer about to be sent: is anything put in before? Answered with [`Injection`].
#[event(builtin, decision = Injection)]
#[derive(Debug, PartialEq)]
pub struct MessageIntercept {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// When in the turn.
    pub stage: InterceptStage,
    /// The how manieth request of the turn, from 1.
    pub round: u32,
}

/// A tool is about to be called: may it? Answered with [`Approval`]. Asked again, with the same arguments, after a person has approved.
#[event(builtin, decision = Approval)]
#[derive(Debug, PartialEq)]
pub struct ToolCall {
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
    /// What the tool does to the world.
    pub effect: Effect,
    /// Who is asking.
    pub caller: Caller,
    /// Whether a person has already approved these very arguments.
    pub approved: bool,
}

/// A tool has answered: does the answer go on as it is? Answered with [`Gate`].
#[event(builtin, decision = Gate, revise = tool_result)]
#[derive(Debug, PartialEq)]
pub struct ToolResult {
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
    /// What it answered.
    pub value: serde_json::Value,
    /// The note that enters the history beside the answer. A replaced answer has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The text of what the model is shown instead of a value, with `[image/png, 1024 bytes]` for an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<String>,
}

/// The model has answered: is it sent? Answered with [`FinalVerdict`].
#[event(builtin, decision = FinalVerdict, revise = final_answer_draft)]
#[derive(Debug, PartialEq)]
pub struct FinalAnswerDraft {
    /// The conversation.
    pub session: SessionId,
    /// The turn.
    pub turn: TurnId,
    /// The answer.
    pub text: String,
}

/// The agent of a session wants to move to another state: may it? Answered with [`Approval`].
#[event(builtin, decision = Approval)]
#[derive(Debug, PartialEq)]
pub struct StateRequest {
    /// The conversation.
    pub session: SessionId,
    /// The state now.
    pub from: String,
    /// The state it wants.
    pub to: String,
}

/// The agent's state is about to be described to the model: what is added? Answered with [`Injection`].
#[event(builtin, decision = Injection)]
#[derive(Debug, PartialEq)]
pub struct StateSummary {
    /// The conversation.
    pub session: SessionId,
    /// The state now.
    pub state: String,
}

fn user_message(event: &mut UserMessage, verdict: &Incoming) {
    if let Some(text) = &verdict.text {
        event.text.clone_from(text);
    }
}

fn system_message(event: &mut SystemMessage, verdict: &Incoming) {
    if let Some(text) = &verdict.text {
        event.text.clone_from(text);
    }
}

fn busy_message(event: &mut BusyMessage, verdict: &Rewrite) {
    if let Rewrite::Replace { text } = verdict {
        event.text.clone_from(text);
    }
}

fn tool_result(event: &mut ToolResult, verdict: &Gate) {
    if let Gate::Replace { value } = verdict {
        event.value.clone_from(value);
    }
}

fn final_answer_draft(event: &mut FinalAnswerDraft, verdict: &FinalVerdict) {
    if let FinalVerdict::Replace { text } = verdict {
        event.text.clone_from(text);
    }
}
