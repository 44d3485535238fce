//! `nekro tasks`

pub(super) mod view;

use std::{io::IsTerminal, sync::Arc};

use nekro_core::{
    Caller, NewTask, TaskId, TaskRecord, TasksPort,
    kernel::{Stage, TaskEntry},
};

use super::{
    Failure, Screen,
    args::{LogsArguments, TasksCommand},
    call::take_switch,
    logs, small_runtime,
};
use crate::{
    assemble::Agent,
    ports::SystemClock,
    storage::{DataDirectory, Ledger, Storage, StorageError, tasks::Listing},
    tasks::{Desk, Runner, Scope, TasksSettings},
};

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
            let wanted = Listing { plugin, state, dead, before: None, limit: last };
            let tasks = desk.listing(&wanted).await.map_err(failed)?;
            view::list(&tasks, screen);
        }
        TasksCommand::Show { task } => {
            let record = desk.find(&task.as_str().into()).await.map_err(failed)?;
            view::one(&record, screen);
        }
        TasksCommand::Cancel { task } => {
            let id = TaskId::from(task);
            let was_open = desk.cancel_of(None, &id).await.map_err(failed)?;
            let state = desk.find(&id).await.map_err(failed)?.state;
            view::cancelled(&id, was_open, state, screen);
        }
        TasksCommand::Retry { task } => {
            let id = TaskId::from(task);
            let again = desk.retry(&id).await.map_err(failed)?;
            view::retried(&again, &id, screen);
        }
        TasksCommand::Notify { task, name, value } => {
            let id = TaskId::from(task);
            let json = view::value(&value).to_string();
            let was_first = desk.notify_of(None, &id, &name, json).await.map_err(failed)?;
            view::notified(&id, was_first, screen);
        }
        // Carried out elsewhere.
        TasksCommand::Run { .. } | TasksCommand::Logs { .. } => {}
    }
    Ok(())
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
    let status = agent.kernel.status();
    if !status.iter().any(|plugin| plugin.id == entry.decl.plugin.id && plugin.stage == Stage::Running) {
        let problem = format!("the plugin `{}` does not run, and its tasks rest", entry.decl.plugin.id);
        return Err(Failure::work(problem).with_hint("`nekro plugins` tells why"));
    }
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
        // What its end has started is run here, too. Whoever does not want to wait leaves it to the next agent.
        tokio::select! {
            settled = agent.desk.settled(entry.decl.plugin.id, &task), if ended.is_ok() => settled.map_err(failed)?,
            _ = tokio::signal::ctrl_c() => {}
        }
        runner.stop().await;
    }
    view::outcome(&ended?)
}

/// Shows how far a task has come until it has ended. Ctrl-C cancels it.
async fn follow(agent: &Agent, task: &TaskId, screen: &Screen) -> Result<TaskRecord, Failure> {
    let shown = |record: &TaskRecord| {
        view::clear(screen);
        // What it says to people: it may be what it waits for.
        screen.messages(&agent.outbox);
        view::progress(record, screen);
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
    view::ended(&ended, screen);
    Ok(ended)
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
