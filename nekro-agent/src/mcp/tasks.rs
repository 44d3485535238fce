//! Tasks of the protocol (SEP-2663): a tool that goes on in the background, and how it is looked after.
//!
//! They are the agent's own tasks, which outlast the process; nothing is kept here. A client sees those of its conversation whose tool it may
//! see, and any other id looks unknown.

use std::time::Duration;

use nekro_core::{
    Caller, Error, Reply, TaskId, TaskRecord, TaskState, Timestamp,
    kernel::{self, Kernel, TaskEntry},
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolResult, ContentBlock, DetailedTask, JsonObject, Task, TaskPayload, TaskStatus},
    service::RequestContext,
};
use serde::Serialize;
use serde_json::Value;

use super::tools::{self, Described};
use crate::tasks::Desk;

/// What a task fails with that no run of it has said.
const LOST: &str = "lost";

/// The tasks of an agent, as clients have them.
#[derive(Clone)]
pub(crate) struct Tasks {
    desk: Desk,
    poll_interval: Duration,
}

/// Tells whether a client can look after tasks, as it has declared.
pub(super) fn are_known_to(context: &RequestContext<RoleServer>) -> bool {
    context.client_capabilities().is_some_and(|client| client.supports_tasks())
}

/// Describes a tool that starts a task by what the task returns, for clients that are given the task. `None` for other tools.
pub(super) fn described(kernel: &Kernel, tool: &kernel::Tool<'_>) -> Option<Described> {
    started_by(kernel, tool).map(|task| Described::answering(tool, task.output()))
}

/// Returns the task that a tool starts: both are one function.
fn started_by<'k>(kernel: &'k Kernel, tool: &kernel::Tool<'_>) -> Option<&'k TaskEntry> {
    let (tool, task) = (tool.entry()?, kernel.registry().task(tool.name())?);
    (tool.decl.location == task.decl.location).then_some(task)
}

impl Tasks {
    /// The tasks on a desk; clients are told to look at them this often.
    pub(crate) fn new(desk: Desk, poll_interval: Duration) -> Self {
        Self { desk, poll_interval }
    }

    /// Returns the task that a tool has started by its answer; `None` if it is no such tool.
    pub(super) async fn started(&self, kernel: &Kernel, tool: &str, reply: &Reply) -> Result<Option<Task>, Error> {
        if kernel.tool(tool).is_none_or(|tool| started_by(kernel, &tool).is_none()) {
            return Ok(None);
        }
        let answer: Value = serde_json::from_str(&reply.json)?;
        // A gate may have put something else in its place.
        let Some(id) = answer.get("task").and_then(Value::as_str) else { return Ok(None) };
        let record = self.desk.find(&id.into()).await?;
        Ok(Some(self.task(&record)))
    }

    /// Returns how a task is doing, and what came of it. `answered` is given the result of one that has ended well, to add to it.
    pub(super) async fn get(
        &self,
        kernel: &Kernel,
        caller: &Caller,
        id: &str,
        answered: impl FnOnce(&mut CallToolResult),
    ) -> Result<DetailedTask, ErrorData> {
        let record = self.find(kernel, caller, id).await?;
        let payload = match record.state {
            TaskState::Queued | TaskState::Running | TaskState::Waiting => TaskPayload::Working,
            TaskState::Cancelled => TaskPayload::Cancelled,
            TaskState::Failed => match &record.problem {
                // What a tool fails with, a direct call answers with, too.
                Some(problem) if problem.code != LOST => {
                    let error = Error::new(problem.message.as_str()).with_code(problem.code.clone());
                    TaskPayload::Completed { result: object(&tools::failure(&error))? }
                }
                problem => {
                    let message = problem.as_ref().map_or_else(String::new, |problem| problem.message.clone());
                    TaskPayload::Failed { error: object(&ErrorData::internal_error(message, None))? }
                }
            },
            TaskState::Succeeded => {
                let mut result = match kernel.tool(&record.full_name()).and_then(|tool| described(kernel, &tool)) {
                    Some(described) => described.value(&record.result),
                    None => CallToolResult::success(vec![ContentBlock::text(record.result.to_string())]),
                };
                answered(&mut result);
                TaskPayload::Completed { result: object(&result)? }
            }
        };
        Ok(DetailedTask::new(self.task(&record), payload))
    }

    /// Cancels a task. One that has ended stays as it is.
    pub(super) async fn cancel(&self, kernel: &Kernel, caller: &Caller, id: &str) -> Result<(), ErrorData> {
        let record = self.find(kernel, caller, id).await?;
        self.desk.cancel_of(Some(record.plugin.to_string()), &record.id).await.map(drop).map_err(|error| failed(&error))
    }

    /// Finds a task of this caller.
    ///
    /// # Errors
    ///
    /// `-32602` for any other id, also for the task of somebody else.
    pub(super) async fn find(&self, kernel: &Kernel, caller: &Caller, id: &str) -> Result<TaskRecord, ErrorData> {
        let unknown = || ErrorData::invalid_params(format!("there is no task `{}`", id.escape_debug()), None);
        let record = match self.desk.find(&TaskId::from(id)).await {
            Ok(record) => record,
            Err(error) if error.code() == "unknown_task" => return Err(unknown()),
            Err(error) => return Err(failed(&error)),
        };
        let name = record.full_name();
        let is_theirs = record.session.is_some() && record.session == caller.session;
        let sees = is_theirs && kernel.tools(caller).any(|tool| tool.name() == name && started_by(kernel, &tool).is_some());
        if sees { Ok(record) } else { Err(unknown()) }
    }

    fn task(&self, record: &TaskRecord) -> Task {
        // Of one that goes on, this is how it is now.
        let seen = record.ended.unwrap_or_else(|| self.desk.now());
        let mut task = Task::new(record.id.as_str(), TaskStatus::Working, time(record.created), time(seen));
        task.status = match record.state {
            TaskState::Cancelled => TaskStatus::Cancelled,
            TaskState::Succeeded | TaskState::Failed => TaskStatus::Completed,
            _ => TaskStatus::Working,
        };
        task.status_message = message(record);
        // It is not forgotten before it has ended, and then after this time.
        task.ttl_ms = record.ended.map(|ended| {
            let lived = u64::try_from(ended.duration_since(record.created).as_millis()).unwrap_or(0);
            lived.saturating_add(millis(self.desk.keeps()))
        });
        task.poll_interval_ms = Some(millis(self.poll_interval));
        task
    }
}

/// Says what a task is at.
fn message(record: &TaskRecord) -> Option<String> {
    let text = match (record.state, &record.waits_for) {
        (TaskState::Succeeded, _) => return None,
        (TaskState::Failed, _) => record.problem.as_ref()?.message.clone(),
        (TaskState::Cancelled, _) => "it was cancelled".to_owned(),
        _ if record.is_cancelled => "it is ending".to_owned(),
        (TaskState::Queued, _) => match &record.problem {
            Some(problem) => format!("it is tried again, for it failed: {}", problem.message),
            None => "it waits for its turn".to_owned(),
        },
        (_, Some(what)) => format!("it waits for `{what}`"),
        _ => format!("{} % {}", record.progress, record.text).trim_end().to_owned(),
    };
    Some(text)
}

fn time(moment: Timestamp) -> String {
    moment.to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn object(value: &impl Serialize) -> Result<JsonObject, ErrorData> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ErrorData::internal_error("the result is no object", None)),
        Err(error) => Err(ErrorData::internal_error(error.to_string(), None)),
    }
}

fn failed(error: &Error) -> ErrorData {
    ErrorData::internal_error(error.message().to_owned(), None)
}
