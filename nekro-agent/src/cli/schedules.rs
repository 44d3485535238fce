//! `nekro schedules`

use std::sync::Arc;

use nekro_core::{Action, ScheduleRecord, ScheduleWhen, Timestamp};
use serde_json::json;

use super::{
    Failure, Screen,
    args::SchedulesCommand,
    output::{plain, table},
    small_runtime,
};
use crate::{
    ports::SystemClock,
    schedules::{Book, SchedulesSettings},
    storage::{DataDirectory, Ledger, Storage},
    style::DIM,
};

/// The most times that are shown at once.
const MOST: usize = 1_000;

pub(super) fn run(
    command: SchedulesCommand,
    directory: DataDirectory,
    settings: &SchedulesSettings,
    screen: &Screen,
) -> Result<(), Failure> {
    let storage = Arc::new(Storage::new(directory, Arc::new(SystemClock)));
    let ledger = Ledger::Disk(Arc::clone(&storage));
    let book = Book::new(ledger, Arc::new(SystemClock), settings, Arc::default()).map_err(failed)?;
    small_runtime()?.block_on(async {
        let done = carry_out(command, &book, screen).await;
        storage.close().await;
        done
    })
}

fn failed(error: nekro_core::Error) -> Failure {
    Failure::of(&error)
}

async fn carry_out(command: SchedulesCommand, book: &Book, screen: &Screen) -> Result<(), Failure> {
    match command {
        SchedulesCommand::List { plugin } => {
            let all = book.all(plugin.as_deref()).await.map_err(failed)?;
            screen.show(&all, || match all.as_slice() {
                [] => "there are no schedules; those that plugins declare are there once an agent has run".to_owned(),
                all => table(&all.iter().map(row).collect::<Vec<_>>()),
            });
        }
        SchedulesCommand::Show { name } => {
            let record = find(book, &name).await?;
            screen.show(&record, || text(&record));
        }
        SchedulesCommand::Pause { name } => {
            let record = find(book, &name).await?;
            book.pause_of(record.plugin.as_str(), &record.schedule.name, true).await.map_err(failed)?;
            screen.show(&json!({ "schedule": name, "paused": true }), || format!("{} rests", plain(&name)));
        }
        SchedulesCommand::Resume { name } => {
            let record = find(book, &name).await?;
            book.pause_of(record.plugin.as_str(), &record.schedule.name, false).await.map_err(failed)?;
            let next = find(book, &name).await?.next;
            screen.show(&json!({ "schedule": name, "paused": false, "next": next }), || {
                format!("{} goes on{}", plain(&name), next.map_or(String::new(), |next| format!(" at {}", time(next))))
            });
        }
        SchedulesCommand::Run { name } => {
            let record = find(book, &name).await?;
            book.run_now_of(record.plugin.as_str(), &record.schedule.name).await.map_err(failed)?;
            screen.show(&json!({ "schedule": name, "run": true }), || {
                format!("{} is run by the agent that is running, or by the next one", plain(&name))
            });
        }
        SchedulesCommand::Delete { name } => {
            let record = find(book, &name).await?;
            book.remove_of(record.plugin.as_str(), &record.schedule.name).await.map_err(failed)?;
            let comes_back = record.is_declared;
            screen.show(&json!({ "deleted": name, "declared": comes_back }), || {
                let note = if comes_back {
                    "; its plugin declares it, and the next agent sets it up again: `pause` lets it rest"
                } else {
                    ""
                };
                format!("{} is deleted{note}", plain(&name))
            });
        }
        SchedulesCommand::Next { count } => {
            let all = book.upcoming(count.min(MOST)).await.map_err(failed)?;
            let values: Vec<_> = all.iter().map(|(at, record)| json!({ "at": at, "schedule": record.full_name() })).collect();
            screen.show(&values, || match all.as_slice() {
                [] => "nothing is due".to_owned(),
                all => table(
                    &all.iter().map(|(at, record)| vec![time(*at), plain(&record.full_name()).into_owned()]).collect::<Vec<_>>(),
                ),
            });
        }
    }
    Ok(())
}

/// Finds a schedule by its plugin's name and its own.
async fn find(book: &Book, name: &str) -> Result<ScheduleRecord, Failure> {
    let all = book.all(None).await.map_err(failed)?;
    let names: Vec<_> = all.iter().map(ScheduleRecord::full_name).collect();
    match names.iter().position(|known| known == name) {
        Some(at) => Ok(all[at].clone()),
        None => Err(Failure::unknown("schedule", name, names.iter().map(String::as_str))),
    }
}

fn when(record: &ScheduleRecord) -> String {
    match &record.schedule.when {
        ScheduleWhen::At { at } => format!("at {}", time(*at)),
        ScheduleWhen::Every { every, from_end: false } => format!("every {every:?}"),
        ScheduleWhen::Every { every, from_end: true } => format!("{every:?} after each"),
        ScheduleWhen::Cron { cron, zone } => format!("{cron} ({zone})"),
    }
}

fn action(record: &ScheduleRecord) -> String {
    match &record.schedule.action {
        Action::Task { task, .. } => format!("runs {}.{task}", record.plugin),
        Action::Event { event, .. } => format!("emits {event}"),
        Action::Message { text } => format!("says {text:?}"),
        Action::Prompt { text } => format!("tells the agent {text:?}"),
    }
}

fn row(record: &ScheduleRecord) -> Vec<String> {
    let state = match (&record.paused, record.next) {
        (Some(_), _) => "rests".to_owned(),
        (None, Some(next)) => time(next),
        (None, None) => "runs".to_owned(),
    };
    vec![plain(&record.full_name()).into_owned(), plain(&when(record)).into_owned(), state, plain(&action(record)).into_owned()]
}

fn text(record: &ScheduleRecord) -> String {
    let mut rows = vec![
        vec!["schedule".to_owned(), plain(&record.full_name()).into_owned()],
        vec!["when".to_owned(), plain(&when(record)).into_owned()],
        vec!["what".to_owned(), plain(&action(record)).into_owned()],
        vec!["runs".to_owned(), record.runs.to_string()],
    ];
    let mut add = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| vec![name.to_owned(), plain(&value).into_owned()]));
    };
    add("next", record.next.map(time));
    add("last", record.last.map(time));
    add("rests", record.paused.clone());
    add("failures", (record.failures > 0).then(|| format!("{} in a row", record.failures)));
    add("session", record.session.as_ref().map(ToString::to_string));
    add("declared", record.is_declared.then(|| "by its plugin".to_owned()));
    format!("{}\n{DIM}times are in UTC{DIM:#}", table(&rows))
}

/// Writes a moment to the second.
fn time(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}
