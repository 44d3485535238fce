//! `nekro schedules`

pub(super) mod view;

use std::sync::Arc;

use nekro_core::ScheduleRecord;

use super::{Failure, Screen, args::SchedulesCommand, small_runtime};
use crate::{
    ports::SystemClock,
    schedules::{Book, SchedulesSettings},
    storage::{DataDirectory, Ledger, Storage},
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
            view::list(&all, screen);
        }
        SchedulesCommand::Show { name } => {
            let record = find(book, &name).await?;
            view::one(&record, screen);
        }
        SchedulesCommand::Pause { name } => {
            let record = find(book, &name).await?;
            book.pause_of(record.plugin.as_str(), &record.schedule.name, true).await.map_err(failed)?;
            view::paused(&name, screen);
        }
        SchedulesCommand::Resume { name } => {
            let record = find(book, &name).await?;
            book.pause_of(record.plugin.as_str(), &record.schedule.name, false).await.map_err(failed)?;
            let next = find(book, &name).await?.next;
            view::resumed(&name, next, screen);
        }
        SchedulesCommand::Run { name } => {
            let record = find(book, &name).await?;
            book.run_now_of(record.plugin.as_str(), &record.schedule.name).await.map_err(failed)?;
            view::run(&name, screen);
        }
        SchedulesCommand::Delete { name } => {
            let record = find(book, &name).await?;
            book.remove_of(record.plugin.as_str(), &record.schedule.name).await.map_err(failed)?;
            view::deleted(&name, record.is_declared, screen);
        }
        SchedulesCommand::Next { count } => {
            let all = book.upcoming(count.min(MOST)).await.map_err(failed)?;
            let all: Vec<_> = all.into_iter().map(|(at, record)| (at, record.full_name())).collect();
            view::next(&all, screen);
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
