//! Schedules, as a person and a program are shown them.

use nekro_core::{Action, ScheduleRecord, ScheduleWhen, Timestamp};
use serde_json::json;

use crate::{
    cli::{Screen, plain, table},
    style::DIM,
};

pub(in crate::cli) fn list(all: &[ScheduleRecord], screen: &Screen) {
    screen.show(&all, || match all {
        [] => "there are no schedules; those that plugins declare are there once an agent has run".to_owned(),
        all => table(&all.iter().map(row).collect::<Vec<_>>()),
    });
}

pub(in crate::cli) fn one(record: &ScheduleRecord, screen: &Screen) {
    screen.show(record, || text(record));
}

pub(in crate::cli) fn paused(name: &str, screen: &Screen) {
    screen.show(&json!({ "schedule": name, "paused": true }), || format!("{} rests", plain(name)));
}

pub(in crate::cli) fn resumed(name: &str, next: Option<Timestamp>, screen: &Screen) {
    screen.show(&json!({ "schedule": name, "paused": false, "next": next }), || {
        format!("{} goes on{}", plain(name), next.map_or(String::new(), |next| format!(" at {}", time(next))))
    });
}

pub(in crate::cli) fn run(name: &str, screen: &Screen) {
    screen.show(&json!({ "schedule": name, "run": true }), || {
        format!("{} is run by the agent that is running, or by the next one", plain(name))
    });
}

pub(in crate::cli) fn deleted(name: &str, comes_back: bool, screen: &Screen) {
    screen.show(&json!({ "deleted": name, "declared": comes_back }), || {
        let note =
            if comes_back { "; its plugin declares it, and the next agent sets it up again: `pause` lets it rest" } else { "" };
        format!("{} is deleted{note}", plain(name))
    });
}

/// Shows times, each with the name of the schedule.
pub(in crate::cli) fn next(all: &[(Timestamp, String)], screen: &Screen) {
    let values: Vec<_> = all.iter().map(|(at, schedule)| json!({ "at": at, "schedule": schedule })).collect();
    screen.show(&values, || match all {
        [] => "nothing is due".to_owned(),
        all => table(&all.iter().map(|(at, schedule)| vec![time(*at), plain(schedule).into_owned()]).collect::<Vec<_>>()),
    });
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
