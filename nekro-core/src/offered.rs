//! Tools that are not linked: a plugin offers them while it runs, for it knows of them only then.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use crate::{call::BoxFuture, caller::Caller, capability::Progress, error::Result, output::Reply, tool::Effect};

/// A tool that a plugin offers while it runs.
#[derive(Clone)]
#[non_exhaustive]
pub struct OfferedTool {
    /// The name within the plugin: letters, digits, `_` and `-`, at most 64, and dots between such parts. Callers use `<plugin>.<name>`.
    pub name: String,
    /// What the model reads to decide when to call.
    pub docs: String,
    /// What it does to the world, as far as the plugin believes that.
    pub effect: Effect,
    /// Describes the arguments: the JSON Schema of an object.
    pub arguments: Value,
    /// Describes the answer; `None` for one whose form is not JSON.
    pub output: Option<Value>,
    /// What is called.
    pub body: Arc<dyn OfferedBody>,
}

impl OfferedTool {
    /// Makes one that takes anything and may destroy something, which is what has to be supposed.
    pub fn new(name: impl Into<String>, docs: impl Into<String>, body: Arc<dyn OfferedBody>) -> Self {
        let effect = Effect { destructive: true, ..Effect::default() };
        Self {
            name: name.into(),
            docs: docs.into(),
            effect,
            arguments: serde_json::json!({ "type": "object" }),
            output: None,
            body,
        }
    }
}

impl fmt::Debug for OfferedTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedTool").field("name", &self.name).field("effect", &self.effect).finish_non_exhaustive()
    }
}

/// What is called when an offered tool is. Implemented by the plugin that offers it, called by the kernel as it calls a linked tool: with a
/// deadline, after the policy and the guards, and with panics caught.
pub trait OfferedBody: Send + Sync {
    /// Checks arguments without calling: guards and people are asked only about those that pass.
    ///
    /// # Errors
    ///
    /// `invalid_arguments`, with what is wrong.
    fn check(&self, arguments: &Map<String, Value>) -> Result<()>;

    /// Calls the tool, with arguments that passed. Whoever waits for it may be told how far it has come.
    ///
    /// # Errors
    ///
    /// Whatever the caller is to be told.
    fn call<'a>(
        &'a self,
        arguments: Map<String, Value>,
        caller: &'a Caller,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Reply>>;
}

/// A tool that a plugin would offer, if something were not in the way. Shown by `nekro doctor`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct NotOffered {
    /// What it is called, or where it would come from.
    pub name: String,
    /// Why it is not offered, and the way out.
    pub reason: String,
}

impl NotOffered {
    /// Says of a tool why it is not offered.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into() }
    }
}
