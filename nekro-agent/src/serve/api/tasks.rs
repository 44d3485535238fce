//! Background tasks: what there is, starting one, and what an operator does to one.
//!
//! A person reaches the tasks of their own conversations; whoever runs conversations reaches all. To everybody else they look unknown.

use nekro_core::{Method, NewTask, Role, SessionId, TaskId, TaskRecord, TaskState, TasksPort, web::Answer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answers, Operation, described, run};
use crate::{
    log::{self, Wanted},
    serve::{problem::Problem, request::Request, server::Server},
    storage::tasks::{Listing, number},
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/tasks",
        "list_tasks",
        "Lists the background tasks that the caller reaches, newest first.",
        run!(list),
    )
    .query::<Which>()
    .json::<Tasks>(),
    Operation::new(
        Method::Post,
        "/api/tasks",
        "start_task",
        "Starts a background task. It is kept when this answers, and run in its turn; what becomes of it is shown under its id.",
        run!(start),
    )
    .role(Role::Admin)
    .body::<Start>()
    .answers(Answers::Json(202, described::<TaskRecord>)),
    Operation::new(Method::Get, "/api/tasks/{task}", "show_task", "Shows a background task.", run!(show)).json::<TaskRecord>(),
    Operation::new(
        Method::Post,
        "/api/tasks/{task}/cancel",
        "cancel_task",
        "Cancels a background task with its children: at once if it waits for its turn, otherwise where it runs.",
        run!(cancel),
    )
    .json::<Cancelled>(),
    Operation::new(
        Method::Post,
        "/api/tasks/{task}/retry",
        "retry_task",
        "Does the work of a background task again that failed or was cancelled, as another one.",
        run!(retry),
    )
    .role(Role::Manager)
    .json::<Retried>(),
    Operation::new(
        Method::Post,
        "/api/tasks/{task}/notify",
        "notify_task",
        "Gives a background task what it waits for under a name, now or later.",
        run!(notify),
    )
    .role(Role::Manager)
    .body::<Notice>()
    .json::<Notified>(),
    Operation::new(
        Method::Get,
        "/api/tasks/{task}/logs",
        "list_task_logs",
        "Lists what a background task has logged, the last entries.",
        run!(logs),
    )
    .role(Role::Admin)
    .query::<Last>()
    .json::<Vec<Value>>(),
];

/// How many are listed if nobody says.
const LISTED: usize = 50;

/// The most that are listed at once.
const MOST_LISTED: usize = 500;

/// Which tasks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Of this plugin only.
    plugin: Option<String>,
    /// In this state only.
    state: Option<TaskState>,
    /// Only those that failed and that nobody has retried.
    dead: Option<bool>,
    /// How many, at most 500; 50 if nobody says.
    limit: Option<u16>,
    /// Only those that were made before this one.
    before: Option<String>,
}

/// Tasks.
#[derive(Serialize, JsonSchema)]
struct Tasks {
    /// The tasks.
    items: Vec<TaskRecord>,
    /// What the next page comes before; `null` for the last.
    next: Option<TaskId>,
}

async fn list(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Which { plugin, state, dead, limit, before } = request.query()?;
    let limit = limit.map_or(LISTED, usize::from).clamp(1, MOST_LISTED);
    let before = before.map(|before| numbered(&TaskId::from(before))).transpose()?;
    let mut wanted = Listing { plugin, state, dead: dead.unwrap_or(false), before, limit: MOST_LISTED };
    let mut items = Vec::new();
    // Those of others are passed over; a page may need several readings.
    loop {
        let found = server.background.desk.listing(&wanted).await?;
        let is_last = found.len() < wanted.limit;
        wanted.before = found.last().and_then(|last| number(&last.id));
        items.extend(found.into_iter().filter(|task| reaches(request, task.session.as_ref())));
        if is_last || items.len() > limit {
            break;
        }
    }
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| is_more).map(|last| last.id.clone());
    Ok(Answer::json(&Tasks { items, next })?)
}

/// Tells whether what belongs to a conversation, or to none, is the caller's to look at.
pub(super) fn reaches(request: &Request, session: Option<&SessionId>) -> bool {
    session.map_or(request.identity.role >= Role::Manager, |session| request.identity.reaches(session))
}

fn unknown(task: &TaskId) -> Problem {
    Problem::new(404, "unknown_task", format!("there is no task `{task}`")).with_hint("GET /api/tasks lists those that are kept")
}

fn numbered(task: &TaskId) -> Result<i64, Problem> {
    number(task).ok_or_else(|| unknown(task))
}

/// Returns the task in the path, if the caller reaches it.
async fn known(server: &Server, request: &Request) -> Result<TaskRecord, Problem> {
    let task = TaskId::from(request.path("task"));
    match server.background.desk.find(&task).await {
        Ok(record) if reaches(request, record.session.as_ref()) => Ok(record),
        Ok(_) => Err(unknown(&task)),
        Err(error) if error.code() == "unknown_task" => Err(unknown(&task)),
        Err(error) => Err(error.into()),
    }
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&known(server, request).await?)?)
}

/// A task to start.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Start {
    /// What it is, such as `report.now`.
    task: String,
    /// Its arguments by name. `nekro audit` and the task's schema say which there are.
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    /// Its arguments as a person types them, instead: `--name value`, and the rest by position.
    #[serde(default)]
    words: Option<Vec<String>>,
    /// The conversation that it belongs to; the caller's own if none is named.
    #[serde(default)]
    session: Option<String>,
    /// Names it: while a task of the plugin with this key is kept, that one is returned, and no second one begun.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    key: Option<String>,
}

/// The longest key, in bytes.
const MOST_OF_A_KEY: usize = 200;

async fn start(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Start { task, arguments, words, session, key } = request.json()?;
    let registry = server.kernel.registry();
    let entry = registry.task(&task).ok_or_else(|| {
        let problem = Problem::new(404, "unknown_task", format!("there is no task `{task}`"));
        match nekro_core::suggest(&task, registry.tasks().iter().map(|task| task.name.as_str())) {
            Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
            None => problem,
        }
    })?;
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MOST_OF_A_KEY) {
        return Err(Problem::bad_request(format!("`key` has 1 to {MOST_OF_A_KEY} bytes")));
    }
    let arguments = match (arguments, words) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("a task has `arguments` or `words`, and not both")),
        (None, Some(words)) => server.kernel.task_words(entry, &words)?,
        (arguments, None) => Value::Object(arguments.unwrap_or_default()).to_string(),
    };
    let caller = match session {
        Some(session) => request.caller().in_session(request.reached(session.into())?),
        None => request.caller(),
    };
    let mut new = NewTask::new(entry.decl, arguments, caller);
    new.key = key;
    let desk = &server.background.desk;
    let id = desk.start(new).await?;
    let location = format!("/api/tasks/{id}");
    Ok(Answer::json(&desk.find(&id).await?)?.with_status(202).with_header("location", location))
}

/// What became of a task that was to be cancelled.
#[derive(Serialize, JsonSchema)]
struct Cancelled {
    /// The task.
    task: TaskId,
    /// Whether it had not ended before.
    cancelled: bool,
    /// What it does now.
    state: TaskState,
}

async fn cancel(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let task = known(server, request).await?.id;
    let desk = &server.background.desk;
    let cancelled = desk.cancel_of(None, &task).await?;
    let state = desk.find(&task).await?.state;
    Ok(Answer::json(&Cancelled { task, cancelled, state })?)
}

/// A task that does the work of another again.
#[derive(Serialize, JsonSchema)]
struct Retried {
    /// The new one.
    task: TaskId,
    /// The one before.
    retries: TaskId,
}

async fn retry(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let retries = known(server, request).await?.id;
    match server.background.desk.retry(&retries).await {
        Ok(task) => Ok(Answer::json(&Retried { task, retries })?),
        Err(error) if error.code() == "not_failed" => Err(Problem::new(409, "not_failed", error.message())),
        Err(error) => Err(error.into()),
    }
}

/// What a task waits for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Notice {
    /// The name that it waits under.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What it is given.
    value: Value,
}

/// What became of a notice.
#[derive(Serialize, JsonSchema)]
struct Notified {
    /// The task.
    task: TaskId,
    /// Whether it was the first of its name, and came in time.
    notified: bool,
}

async fn notify(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Notice { name, value } = request.json()?;
    if name.is_empty() || name.len() > MOST_OF_A_KEY {
        return Err(Problem::bad_request(format!("`name` has 1 to {MOST_OF_A_KEY} bytes")));
    }
    let task = known(server, request).await?.id;
    let notified = server.background.desk.notify_of(None, &task, &name, value.to_string()).await?;
    Ok(Answer::json(&Notified { task, notified })?)
}

/// How many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Last {
    /// How many entries, the last ones, at most 1000; 100 if nobody says.
    last: Option<u16>,
}

/// How many entries of the log are listed at most.
const MOST_ENTRIES: usize = 1_000;

async fn logs(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Last { last } = request.query()?;
    let task = known(server, request).await?.id;
    let count = last.map_or(100, usize::from).min(MOST_ENTRIES);
    let folder = server.storage.directory().logs();
    let wanted = Wanted { plugin: None, session: None, task: Some(task.to_string()) };
    let read = tokio::task::spawn_blocking(move || log::last(&folder, wanted, count).map(|(entries, _)| entries)).await;
    let unreadable = |problem: String| Problem::new(500, "unreadable", format!("the log cannot be read: {problem}"));
    let entries = read.map_err(|error| unreadable(error.to_string()))?.map_err(|error| unreadable(error.to_string()))?;
    let entries: Vec<Value> = entries.iter().filter_map(|entry| serde_json::from_str(&entry.line).ok()).collect();
    Ok(Answer::json(&entries)?)
}
