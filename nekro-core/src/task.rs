//! What `#[task]` says of a function: work that goes on in the background, and survives the end of the process.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    argument::ArgumentDecl,
    call::{Body, BoxFuture, Call, Input},
    caller::Origin,
    capability::NewTask,
    error::{Error, Result},
    ids::{PluginId, SessionId, TaskId},
    lend::LentDecl,
    location::Location,
    output::{Kind, Reply},
    plugin::PluginDecl,
    tool::OutputDecl,
};

/// The declaration of a task.
#[derive(Debug)]
pub struct TaskDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The name within the plugin.
    pub name: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// How often it is tried again after a failure.
    pub retries: u32,
    /// How long it waits before it is tried again; after each further failure twice as long.
    pub backoff: Duration,
    /// How long it may run, without the time that it waits; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// How many of it may run at the same time; `None` for the host's limit.
    pub concurrency: Option<usize>,
    /// What becomes of it when its plugin is disabled.
    pub when_disabled: WhenDisabled,
    /// The task of the same plugin that is started once when one of this has ended. It takes one argument, `end`.
    pub on_terminal: Option<&'static str>,
    /// What whoever starts it gives.
    pub arguments: &'static [ArgumentDecl],
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// What it returns.
    pub output: fn() -> OutputDecl,
    /// Checks arguments without running it.
    pub check: fn(&str) -> Result<(), Error>,
    /// The function.
    pub body: Body<Result<Reply, Error>>,
    /// Where it stands.
    pub location: Location,
}

inventory::collect!(&'static TaskDecl);

/// What becomes of a plugin's tasks when it is disabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenDisabled {
    /// They rest until it is enabled again, and go on from their last checkpoint.
    #[default]
    Pause,
    /// They are cancelled.
    Cancel,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It waits for its turn, for its time, or for being tried again.
    Queued,
    /// It runs.
    Running,
    /// It waits for a notice or for a child.
    Waiting,
    /// It has returned a value.
    Succeeded,
    /// It has failed, and is not tried again.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl TaskState {
    /// Tells whether nothing follows.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Returns its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a task failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskProblem {
    /// A short word that programs compare.
    pub code: String,
    /// What went wrong.
    pub message: String,
}

impl From<&Error> for TaskProblem {
    fn from(error: &Error) -> Self {
        Self { code: error.code().to_owned(), message: error.message().to_owned() }
    }
}

/// How a task ended: the argument `end` of the task that `on_terminal` names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskEnd {
    /// The task.
    pub task: TaskId,
    /// What it was, such as `index.build`.
    pub name: String,
    /// How it ended.
    pub state: TaskState,
    /// What it returned, if it succeeded.
    #[serde(default)]
    pub result: Value,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<TaskProblem>,
}

/// A task as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TaskRecord {
    /// Its name.
    pub id: TaskId,
    /// Whose it is.
    pub plugin: PluginId,
    /// What it is, such as `build`.
    pub name: String,
    /// What it does.
    pub state: TaskState,
    /// How far it has come, in percent.
    pub progress: u8,
    /// What it says of that.
    pub text: String,
    /// How often it was begun.
    pub attempts: u32,
    /// What it was given.
    pub arguments: Value,
    /// What it returned, if it succeeded.
    pub result: Value,
    /// Why it failed, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<TaskProblem>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// The conversation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The task that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskId>,
    /// The schedule that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The task that does its work again, if somebody retried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_as: Option<TaskId>,
    /// Whether somebody wants it cancelled.
    pub is_cancelled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it begins at the earliest, if it is queued.
    pub due: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl TaskRecord {
    /// A task that was just made, for hosts and tests.
    pub fn new(id: TaskId, plugin: PluginId, name: impl Into<String>, created: Timestamp) -> Self {
        Self {
            id,
            plugin,
            name: name.into(),
            state: TaskState::Queued,
            progress: 0,
            text: String::new(),
            attempts: 0,
            arguments: Value::Null,
            result: Value::Null,
            problem: None,
            waits_for: None,
            session: None,
            parent: None,
            schedule: None,
            retried_as: None,
            is_cancelled: false,
            created,
            due: created,
            ended: None,
        }
    }

    /// Returns its name as `nekro tasks run` takes it, such as `index.build`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.plugin, self.name)
    }
}

/// The arguments of a task: a struct that `#[task]` makes beside the function, under the same name.
///
/// `tasks.start(build { path })` starts the task `build`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the arguments of a task",
    label = "not a task",
    note = "write the task's name with its arguments in braces, such as `build {{ path }}`; one without arguments is `build {{}}`"
)]
pub trait TaskArguments {
    /// What the attribute says.
    const DECL: &'static TaskDecl;

    /// Returns the arguments as a JSON object.
    ///
    /// # Errors
    ///
    /// If one has no JSON form.
    fn to_json(&self) -> Result<String>;
}

/// A task that can be started at the end of another: its one argument is `end: TaskEnd`. `#[task]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be started at the end of a task",
    label = "it does not take the end",
    note = "what `on_terminal` names is a task with one argument, after what it borrows: `end: TaskEnd`, with a doc comment"
)]
pub trait TakesTheEnd: TaskArguments {
    /// Makes its arguments of how the other task ended.
    fn at(end: TaskEnd) -> Self;
}

/// Puts arguments together; used by the expansion of `#[task]`.
#[derive(Debug, Default)]
pub struct ArgumentsJson(Map<String, Value>);

impl ArgumentsJson {
    /// Begins without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// If it has no JSON form.
    pub fn with<T: Serialize>(mut self, name: &str, value: &T) -> Result<Self> {
        self.0.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(self)
    }

    /// Returns the object.
    pub fn finish(self) -> String {
        Value::Object(self.0).to_string()
    }
}

/// What a tool answers that starts a task.
#[derive(Debug, Serialize, JsonSchema)]
struct StartedTask {
    /// The task: its end is told in this conversation.
    task: TaskId,
}

/// Says what a tool answers that starts a task.
pub fn started_task() -> OutputDecl {
    OutputDecl { kind: Kind::Value, schema: |generator| Some(generator.subschema_for::<StartedTask>()) }
}

/// Starts a task with the arguments of a tool's call; the body of the tool that `#[task(tool)]` makes.
pub fn start_as_tool<'a>(call: &'a Call<'a>, decl: &'static TaskDecl) -> BoxFuture<'a, Result<Reply, Error>> {
    Box::pin(async move {
        let arguments = match call.input {
            Input::Arguments(json) if !json.trim_ascii().is_empty() => json,
            _ => "{}",
        };
        (decl.check)(arguments)?;
        let port = crate::capability::tasks_port(call)?;
        let new = NewTask {
            // A person who calls it looks after it; a model goes on, and has to be told.
            tell: call.caller.session.is_some() && call.caller.origin == Origin::Model,
            ..NewTask::new(decl, arguments.to_owned(), call.caller.clone())
        };
        Reply::of(&StartedTask { task: port.start(new).await? }, Kind::Value)
    })
}
