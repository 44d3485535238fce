//! Background tasks, as a person and a program are shown them.

use std::io::Write;

use nekro_core::{TaskId, TaskRecord, TaskState, Timestamp};
use serde_json::{Value, json};

use crate::{
    cli::{Failure, Screen, plain, table},
    style::{DIM, RED},
};

/// How many characters the bar has.
const BAR: usize = 30;

pub(in crate::cli) fn list(tasks: &[TaskRecord], screen: &Screen) {
    screen.show(&tasks, || match tasks {
        [] => "there are no tasks".to_owned(),
        tasks => table(&tasks.iter().map(row).collect::<Vec<_>>()),
    });
}

pub(in crate::cli) fn one(record: &TaskRecord, screen: &Screen) {
    screen.show(record, || text(record));
}

pub(in crate::cli) fn cancelled(task: &TaskId, was_open: bool, state: TaskState, screen: &Screen) {
    screen.show(&json!({ "task": task, "cancelled": was_open, "state": state }), || match (was_open, state) {
        (false, state) => format!("{task} had ended already: it is {}", state.name()),
        (true, TaskState::Cancelled) => format!("{task} is cancelled"),
        (true, _) => format!("{task} ends where it runs"),
    });
}

pub(in crate::cli) fn retried(task: &TaskId, retries: &TaskId, screen: &Screen) {
    screen.show(&json!({ "task": task, "retries": retries }), || format!("{task} does the work of {retries} again"));
}

pub(in crate::cli) fn notified(task: &TaskId, was_first: bool, screen: &Screen) {
    screen.show(&json!({ "task": task, "notified": was_first }), || match was_first {
        true => format!("{task} is told"),
        false => format!("{task} was told before, or no longer waits for it"),
    });
}

/// Reads what a task is given: what is no JSON is a text.
pub(in crate::cli) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Shows how far a task has come: by a bar, or by a line of JSON.
pub(in crate::cli) fn progress(record: &TaskRecord, screen: &Screen) {
    if screen.is_json() { screen.line(json!({ "task": record })) } else { bar(record) }
}

/// Shows what came of a task whose progress was shown.
pub(in crate::cli) fn ended(record: &TaskRecord, screen: &Screen) {
    if !screen.is_json() {
        screen.line("");
        if record.state == TaskState::Succeeded {
            screen.line(plain(&format!("{:#}", record.result)));
        }
    }
}

/// Says whether a task did what it was started for.
pub(in crate::cli) fn outcome(record: &TaskRecord) -> Result<(), Failure> {
    let task = &record.id;
    match (record.state, &record.problem) {
        (TaskState::Succeeded, _) => Ok(()),
        (TaskState::Failed, Some(problem)) => {
            let hint = format!("`nekro tasks logs {task}` shows what it logged, and `nekro tasks retry {task}` does it again");
            Err(Failure::work(&problem.message).with_hint(hint))
        }
        (state, _) => Err(Failure::work(format!("the task {task} is {}", state.name()))),
    }
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
pub(in crate::cli) fn clear(screen: &Screen) {
    if screen.is_json() {
        return;
    }
    let _ = write!(anstream::stdout(), "\r\u{1b}[K");
}

/// Writes a moment to the second.
fn time(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}
