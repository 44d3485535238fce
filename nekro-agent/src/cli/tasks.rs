//! `nekro tasks`

use std::{
    io::{IsTerminal, Write},
    sync::Arc,
};

use nekro_core::{Caller, NewTask, TaskId, TaskRecord, TaskState, TasksPort, Timestamp, kernel::TaskEntry};
use serde_json::json;

use super::{
    Failure, Screen,
    args::{LogsArguments, TasksCommand},
    call::take_switch,
    logs,
    output::{plain, table},
    small_runtime,
};
use crate::{
    assemble::Agent,
    ports::SystemClock,
    storage::{DataDirectory, Ledger, Storage, StorageError, tasks::Listing},
    style::{DIM, RED},
    tasks::{Desk, Runner, Scope, TasksSettings},
};

/// How many characters the bar has.
const BAR: usize = 30;

/// Carries out what needs no plugins: the agent that may be running sees it at once.
pub(super) fn run(
    command: TasksCommand,
    directory: DataDirectory,
    settings: TasksSettings,
    screen: &Screen,
) -> Result<(), Failure> {
    if let TasksCommand::Logs { task, last, follow } = command {
        let wanted = LogsArguments { plugin: None, session: None, last, follow };
        return logs::run_for_task(wanted, Some(task), &directory, screen);
    }
    let storage = Arc::new(Storage::new(directory, Arc::new(SystemClock)));
    let desk = Desk::new(Ledger::Disk(Arc::clone(&storage)), Arc::new(SystemClock), settings);
    small_runtime()?.block_on(async {
        let done = on_the_desk(command, &desk, screen).await;
        storage.close().await;
        done
    })
}

fn failed(error: nekro_core::Error) -> Failure {
    Failure::of(&error)
}

async fn on_the_desk(command: TasksCommand, desk: &Desk, screen: &Screen) -> Result<(), Failure> {
    match command {
        TasksCommand::List { plugin, state, dead, last } => {
            let wanted = Listing { plugin, state, dead, limit: last };
            let tasks = desk.listing(&wanted).await.map_err(failed)?;
            screen.show(&tasks, || match tasks.as_slice() {
                [] => "there are no tasks".to_owned(),
                tasks => table(&tasks.iter().map(row).collect::<Vec<_>>()),
            });
        }
        TasksCommand::Show { task } => {
            let record = desk.find(&task.as_str().into()).await.map_err(failed)?;
            screen.show(&record, || text(&record));
        }
        TasksCommand::Cancel { task } => {
            let id = TaskId::from(task);
            let was_open = desk.cancel_of(None, &id).await.map_err(failed)?;
            let state = desk.find(&id).await.map_err(failed)?.state;
            screen.show(&json!({ "task": id, "cancelled": was_open, "state": state }), || match (was_open, state) {
                (false, state) => format!("{id} had ended already: it is {}", state.name()),
                (true, TaskState::Cancelled) => format!("{id} is cancelled"),
                (true, _) => format!("{id} ends where it runs"),
            });
        }
        TasksCommand::Retry { task } => {
            let id = TaskId::from(task);
            let again = desk.retry(&id).await.map_err(failed)?;
            screen.show(&json!({ "task": again, "retries": id }), || format!("{again} does the work of {id} again"));
        }
        TasksCommand::Notify { task, name, value } => {
            let id = TaskId::from(task);
            // What is no JSON is a text.
            let json = match serde_json::from_str::<serde_json::Value>(&value) {
                Ok(_) => value,
                Err(_) => json!(value).to_string(),
            };
            let was_first = desk.notify_of(None, &id, &name, json).await.map_err(failed)?;
            screen.show(&json!({ "task": id, "notified": was_first }), || match was_first {
                true => format!("{id} is told"),
                false => format!("{id} was told before, or no longer waits for it"),
            });
        }
        // Carried out elsewhere.
        TasksCommand::Run { .. } | TasksCommand::Logs { .. } => {}
    }
    Ok(())
}

fn row(record: &TaskRecord) -> Vec<String> {
    let state = match record.state {
        TaskState::Running | TaskState::Queued if record.is_cancelled => "ending".to_owned(),
        TaskState::Running => format!("running {} %", record.progress),
        TaskState::Waiting => format!("waits for {}", plain(record.waits_for.as_deref().unwrap_or_default())),
        TaskState::Failed => format!("{RED}failed{RED:#}"),
        state => state.name().to_owned(),
    };
    let text = record.problem.as_ref().map_or(record.text.as_str(), |problem| problem.message.as_str());
    let text = plain(text).replace('\n', " ");
    vec![record.id.to_string(), plain(&record.full_name()).into_owned(), time(record.created), state, text]
}

fn text(record: &TaskRecord) -> String {
    let mut rows = vec![
        vec!["task".to_owned(), record.id.to_string()],
        vec!["what".to_owned(), plain(&record.full_name()).into_owned()],
        vec!["state".to_owned(), record.state.name().to_owned()],
        vec!["progress".to_owned(), format!("{} % {}", record.progress, plain(&record.text))],
        vec!["begun".to_owned(), format!("{} times", record.attempts)],
        vec!["arguments".to_owned(), plain(&record.arguments.to_string()).into_owned()],
        vec!["made".to_owned(), time(record.created)],
    ];
    let mut add = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| vec![name.to_owned(), plain(&value).into_owned()]));
    };
    add("due", (record.state == TaskState::Queued).then(|| time(record.due)));
    add("ended", record.ended.map(time));
    add("waits for", record.waits_for.clone());
    add("result", (record.state == TaskState::Succeeded).then(|| record.result.to_string()));
    add("problem", record.problem.as_ref().map(|problem| format!("{} ({})", problem.message, problem.code)));
    add("session", record.session.as_ref().map(ToString::to_string));
    add("parent", record.parent.as_ref().map(ToString::to_string));
    add("schedule", record.schedule.clone());
    add("retried as", record.retried_as.as_ref().map(ToString::to_string));
    table(&rows)
}

/// Starts a task and shows it to its end: in the agent that is running, or here.
pub(super) async fn run_one(
    agent: &Agent,
    name: &str,
    mut words: Vec<String>,
    caller: &Caller,
    directory: &DataDirectory,
    screen: &Screen,
) -> Result<(), Failure> {
    let registry = agent.kernel.registry();
    let names = registry.tasks().iter().map(|task| task.name.as_str());
    let entry = registry.task(name).ok_or_else(|| Failure::unknown("task", name, names))?;
    let is_argument = |name: &str| entry.decl.arguments.iter().any(|argument| argument.name == name);
    // As with `nekro call`: what follows the task is the task's, but for this switch.
    let json = !is_argument("json") && take_switch(&mut words, "--json");
    // Somebody looks at a terminal; anything else is a program that reads lines.
    let screen = &Screen::new(screen.is_json() || json || !std::io::stdout().is_terminal());
    let arguments = agent.kernel.task_words(entry, &words).map_err(|error| {
        let failure = Failure::of(&error);
        if error.hint().is_some() { failure } else { failure.with_hint(usage(entry)) }
    })?;
    // Without the lock, an agent is at work, and it runs the task.
    let lock = match directory.lock() {
        Ok(lock) => Some(lock),
        Err(StorageError::InUse { .. }) => None,
        Err(problem) => return Err(Failure::storage(problem)),
    };
    let task = agent.desk.start(NewTask::new(entry.decl, arguments, caller.clone())).await.map_err(failed)?;
    let runner = match (&lock, crate::storage::tasks::number(&task)) {
        (Some(_), Some(number)) => {
            let audience = Arc::new(agent.machine.clone());
            Some(
                Runner::start(agent.kernel.clone(), agent.desk.clone(), agent.book.clone(), audience, Scope::Only(number))
                    .await
                    .map_err(failed)?,
            )
        }
        _ => None,
    };
    let ended = follow(agent, &task, screen).await;
    if let Some(runner) = runner {
        runner.stop().await;
    }
    let ended = ended?;
    match (ended.state, &ended.problem) {
        (TaskState::Succeeded, _) => Ok(()),
        (_, Some(problem)) => {
            let hint = format!("`nekro tasks logs {task}` shows what it logged, and `nekro tasks retry {task}` does it again");
            Err(Failure::work(&problem.message).with_hint(hint))
        }
        (state, None) => Err(Failure::work(format!("the task {task} is {}", state.name()))),
    }
}

/// Shows how far a task has come until it has ended. Ctrl-C cancels it.
async fn follow(agent: &Agent, task: &TaskId, screen: &Screen) -> Result<TaskRecord, Failure> {
    let is_live = !screen.is_json();
    let shown = |record: &TaskRecord| {
        if is_live {
            clear();
        }
        // What it says to people: it may be what it waits for.
        screen.messages(&agent.outbox);
        if is_live { bar(record) } else { screen.line(json!({ "task": record })) }
    };
    let ended = {
        let following = agent.desk.follow(task, shown);
        tokio::pin!(following);
        loop {
            tokio::select! {
                ended = &mut following => break ended,
                _ = tokio::signal::ctrl_c() => {
                    agent.desk.cancel_of(None, task).await.map_err(failed)?;
                }
            }
        }
    };
    let ended = ended.map_err(failed)?;
    if is_live {
        screen.line("");
        if ended.state == TaskState::Succeeded {
            screen.line(plain(&format!("{:#}", ended.result)));
        }
    }
    Ok(ended)
}

/// Draws the bar.
fn bar(record: &TaskRecord) {
    let done = usize::from(record.progress) * BAR / 100;
    let what = match (&record.waits_for, record.text.as_str()) {
        (Some(waits), _) => format!("waits for {waits}"),
        (None, "") => record.state.name().to_owned(),
        (None, text) => text.to_owned(),
    };
    let (full, rest) = ("█".repeat(done), "░".repeat(BAR - done));
    let mut out = anstream::stdout();
    // A reader that has gone away is no failure.
    let _ =
        write!(out, "{} {full}{DIM}{rest}{DIM:#} {:3} % {}", record.id, record.progress, plain(&what)).and_then(|()| out.flush());
}

/// Takes the bar away.
fn clear() {
    let _ = write!(anstream::stdout(), "\r\u{1b}[K");
}

/// Says what a task takes.
fn usage(entry: &TaskEntry) -> String {
    let argument = |decl: &nekro_core::ArgumentDecl| {
        let words = format!("--{} VALUE", decl.name);
        if decl.is_optional() { format!("[{words}]") } else { words }
    };
    let arguments: Vec<_> = entry.decl.arguments.iter().map(argument).collect();
    format!("nekro tasks run {} {}", entry.name, arguments.join(" ")).trim_end().to_owned()
}

/// Writes a moment to the second.
fn time(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}
