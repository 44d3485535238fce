//! `nekro logs`

use std::{
    io::{self, Write},
    time::Duration,
};

use anstyle::Style;
use serde_json::Value;

use super::{Failure, Screen, args::LogsArguments, output::plain};
use crate::{
    log::{self, Entry, Wanted},
    storage::DataDirectory,
    style::{DIM, RED},
};

/// How often it is looked for new entries.
const TICK: Duration = Duration::from_millis(200);

pub(super) fn run(arguments: LogsArguments, directory: &DataDirectory, screen: &Screen) -> Result<(), Failure> {
    run_for_task(arguments, None, directory, screen)
}

/// Shows what was logged, by one task or by all.
pub(super) fn run_for_task(
    arguments: LogsArguments,
    task: Option<String>,
    directory: &DataDirectory,
    screen: &Screen,
) -> Result<(), Failure> {
    let LogsArguments { plugin, session, last, follow } = arguments;
    let unreadable = |error| Failure::work(format!("the log in {} cannot be read: {error}", directory.logs().display()));
    let (entries, mut following) = log::last(&directory.logs(), Wanted { plugin, session, task }, last).map_err(unreadable)?;
    // Whoever reads may go away: then there is nothing left to do.
    let mut is_heard = print(&entries, screen).is_ok();
    while follow && is_heard {
        std::thread::sleep(TICK);
        is_heard = print(&following.next().map_err(unreadable)?, screen).is_ok();
    }
    Ok(())
}

/// Shows entries that a server has sent.
#[cfg(feature = "http")]
pub(super) fn show(entries: &[Value], screen: &Screen) {
    // What is no entry was made by another version.
    let entries = entries.iter().filter_map(|entry| {
        let read: Entry = serde_json::from_value(entry.clone()).ok()?;
        Some(Entry { line: entry.to_string(), ..read })
    });
    // Whoever reads may have gone away.
    let _ = print(&entries.collect::<Vec<_>>(), screen);
}

fn print(entries: &[Entry], screen: &Screen) -> io::Result<()> {
    let mut out = anstream::stdout();
    for entry in entries {
        if screen.is_json() { writeln!(out, "{}", entry.line)? } else { writeln!(out, "{}", text(entry))? }
    }
    out.flush()
}

fn text(entry: &Entry) -> String {
    let level = match entry.level.as_str() {
        "error" | "warn" => RED,
        _ => Style::new(),
    };
    let whose = entry.plugin.as_ref().map(|plugin| format!(" {}:", plain(plugin))).unwrap_or_default();
    let session = entry.session.as_ref().map(|session| format!(" [{}]", plain(session))).unwrap_or_default();
    let fields: String = entry
        .fields
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!(" {name}={}", plain(text)),
            value => format!(" {name}={value}"),
        })
        .collect();
    let (at, message) = (plain(&entry.at), plain(&entry.message));
    format!("{DIM}{at}{DIM:#} {level}{}{level:#}{session}{whose} {message}{DIM}{fields}{DIM:#}", plain(&entry.level))
}
