//! Acting by scripts: the model is offered one function, which runs Python that calls all the others.
//!
//! Who runs scripts is behind [`Scripts`], so that turns know nothing of interpreters; what a script calls comes back through [`Calls`],
//! where every call goes its usual way.

use nekro_core::{
    BoxFuture, Caller, Error, Image, Reply, Result, SessionId,
    event::facts::ToolOutcome,
    kernel::{Kernel, OwnCall, Tool},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::model::ToolSpec;

/// The function that runs a script.
pub(crate) const RUN: &str = "run_python";

/// The section of the prompt that tells of the functions.
pub(crate) const FUNCTIONS: &str = "functions";

/// Runs scripts that a model writes. Implemented by the sandbox and by tests, called by turns.
pub(crate) trait Scripts: Send + Sync {
    /// Tells a model how scripts are written, and what they may call: these tools, and what scripts have beside them.
    fn guide(&self, tools: &[Tool<'_>]) -> String;

    /// Runs a script. Dropped, it ends the script and its calls.
    fn run<'a>(&'a self, script: Script<'a>, calls: &'a dyn Calls) -> BoxFuture<'a, Result<Ran>>;

    /// Calls a function that scripts have beside the tools; `None` if it is none of these.
    fn call_own<'a>(&'a self, kernel: &'a Kernel, call: Own<'a>) -> Option<BoxFuture<'a, (Result<Reply>, ToolOutcome)>>;

    /// Forgets the variables that are kept for a session.
    fn forget(&self, session: &SessionId);
}

/// A script to run.
#[derive(Clone, Copy)]
pub(crate) struct Script<'a> {
    /// Its source.
    pub(crate) source: &'a str,
    /// The tools that it may call.
    pub(crate) tools: &'a [Tool<'a>],
    /// Which of the functions beside the tools it may call.
    pub(crate) own: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whose variables it goes on with.
    pub(crate) session: Option<&'a SessionId>,
    /// How many bytes of its output, and of its value, are worth returning.
    pub(crate) shown_bytes: usize,
}

/// What came of a script.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ran {
    /// What the model is shown.
    pub(crate) text: String,
    /// Images that it is shown.
    pub(crate) images: Vec<Image>,
    /// Whether it failed.
    pub(crate) failed: bool,
}

/// A call of a function that scripts have beside the tools.
#[derive(Clone, Copy)]
pub(crate) struct Own<'a> {
    /// Under which name it is told of.
    pub(crate) id: &'a nekro_core::CallId,
    /// The function.
    pub(crate) function: &'a str,
    /// Its arguments, as JSON.
    pub(crate) arguments: &'a str,
    /// Who calls.
    pub(crate) caller: &'a Caller,
}

impl<'a> Own<'a> {
    /// Returns it as the kernel is told of it.
    pub(crate) fn as_call(&self, arguments: &'a serde_json::Value, effect: nekro_core::Effect) -> OwnCall<'a> {
        OwnCall { id: self.id, function: self.function, arguments, effect, caller: self.caller }
    }
}

/// Makes the calls of a script. Implemented by who runs it.
pub(crate) trait Calls: Send + Sync {
    /// Makes a call: the arguments are a JSON object, and not to be trusted.
    fn call<'a>(&'a self, function: &'a str, arguments: &'a str) -> BoxFuture<'a, Result<Reply>>;

    /// Is told what the script prints, as it comes.
    fn printed(&self, text: &str) {
        _ = text;
    }
}

/// Lets calls of one script run at the same time, but for those that may destroy something: each of these runs alone.
#[derive(Debug, Default)]
pub(crate) struct Lane(RwLock<()>);

/// A place in a [`Lane`].
#[expect(dead_code, reason = "held, and not read")]
pub(crate) enum Place<'a> {
    Beside(RwLockReadGuard<'a, ()>),
    Alone(RwLockWriteGuard<'a, ()>),
}

impl Lane {
    /// Waits until a tool may be called.
    pub(crate) async fn enter(&self, kernel: &Kernel, tool: &str) -> Place<'_> {
        if kernel.tool(tool).is_some_and(|tool| tool.effect().destructive) {
            Place::Alone(self.0.write().await)
        } else {
            Place::Beside(self.0.read().await)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    code: String,
}

/// Reads the source of a script from a call.
pub(super) fn source(arguments: &str) -> Result<String> {
    match serde_json::from_str::<Arguments>(arguments) {
        Ok(read) => Ok(read.code),
        Err(error) => Err(Error::new(format!("the arguments of `{RUN}` are wrong: {error}"))
            .with_code("invalid_arguments")
            .with_hint("give the whole script as `code`")),
    }
}

/// Describes [`RUN`].
pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: RUN.to_owned(),
        description:
            "Runs a Python script, which may call the functions that you were told of, and returns the value of its last \
                      expression and what it printed."
                .to_owned(),
        arguments: json!({
            "type": "object",
            "properties": { "code": { "type": "string", "description": "The script." } },
            "required": ["code"],
            "additionalProperties": false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_read_and_mistakes_are_told() {
        assert_eq!(source(r#"{"code":"1 + 1"}"#).expect("a source"), "1 + 1");
        for wrong in ["", "{}", r#"{"code":1}"#, r#"{"code":"1","x":2}"#] {
            assert_eq!(source(wrong).expect_err("no source").code(), "invalid_arguments", "{wrong}");
        }
    }
}
