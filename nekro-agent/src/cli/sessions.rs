//! `nekro sessions`

use std::sync::Arc;

use nekro_core::{SessionId, Timestamp, event::facts::ToolOutcome};
use serde_json::json;

use super::{
    Failure, Screen,
    args::SessionsCommand,
    data,
    output::{plain, table},
    small_runtime,
};
use crate::{
    history::{Body, CallRecord, File, HistoryPort, Message, Session, UsageTotal},
    ports::SystemClock,
    reach::forget_exchange,
    storage::{DataDirectory, Storage, export_session},
    style::DIM,
};

/// How many sessions are listed if nothing else is said.
const MOST_SESSIONS: usize = 50;

/// The most calls that are shown beside the messages.
const MOST_CALLS: usize = 1_000;

/// The most characters of a call's arguments and result that are shown to a person.
const MOST_OF_A_CALL: usize = 100;

pub(super) fn run(command: Option<SessionsCommand>, directory: DataDirectory, screen: &Screen) -> Result<(), Failure> {
    let storage = Storage::new(directory, Arc::new(SystemClock));
    let runtime = small_runtime()?;
    runtime.block_on(async {
        match command.unwrap_or(SessionsCommand::List { last: MOST_SESSIONS }) {
            SessionsCommand::List { last } => list(&storage, last, screen).await,
            SessionsCommand::Show { session, last } => show(&storage, &session.into(), last, screen).await,
            SessionsCommand::Delete { session } => delete(&storage, &session.into(), screen).await,
            SessionsCommand::Export { session, file } => {
                let id = SessionId::from(session);
                let export = |to: &mut dyn std::io::Write| export_session(storage.directory(), &id, to, Timestamp::now());
                match data::write_to(&file, export)? {
                    Some(counts) => {
                        data::tell(&file, Some(counts), screen);
                        Ok(())
                    }
                    None => Err(unknown(&storage, &id).await),
                }
            }
        }
    })
}

fn failed(error: nekro_core::Error) -> Failure {
    Failure::of(&error)
}

async fn unknown(storage: &Storage, id: &SessionId) -> Failure {
    // A suggestion is worth no second failure.
    let known = storage.sessions(None, MOST_SESSIONS).await.map(|listing| listing.items).unwrap_or_default();
    Failure::unknown("session", id.as_str(), known.iter().map(|session| session.id.as_str()))
}

async fn list(storage: &Storage, last: usize, screen: &Screen) -> Result<(), Failure> {
    let listing = storage.sessions(None, last).await.map_err(failed)?;
    screen.show(&listing.items, || {
        let row = |session: &Session| {
            let title = session.settings.title.as_deref().unwrap_or_default();
            vec![
                plain(session.id.as_str()).into_owned(),
                format!("{} messages", session.messages),
                time(session.used),
                plain(title).into_owned(),
            ]
        };
        match listing.items.as_slice() {
            [] => "there are no sessions".to_owned(),
            items if listing.more => {
                let rows = table(&items.iter().map(row).collect::<Vec<_>>());
                format!("{rows}\n{DIM}there are more: `--last COUNT` lists them{DIM:#}")
            }
            items => table(&items.iter().map(row).collect::<Vec<_>>()),
        }
    });
    Ok(())
}

async fn show(storage: &Storage, id: &SessionId, last: usize, screen: &Screen) -> Result<(), Failure> {
    let Some(session) = storage.session(id).await.map_err(failed)? else { return Err(unknown(storage, id).await) };
    let mut messages = storage.messages(id, None, last, true).await.map_err(failed)?;
    messages.reverse();
    let calls = storage.calls(id, MOST_CALLS).await.map_err(failed)?;
    let usage = storage.usage(id).await.map_err(failed)?;
    screen.show(&json!({ "session": session, "messages": messages, "calls": calls, "usage": usage }), || {
        text(&session, &messages, &calls, &usage)
    });
    Ok(())
}

async fn delete(storage: &Storage, id: &SessionId, screen: &Screen) -> Result<(), Failure> {
    if !storage.delete_session(id).await.map_err(failed)? {
        return Err(unknown(storage, id).await);
    }
    let files = storage.directory().path().join("files");
    forget_exchange(&files, id).map_err(|error| {
        Failure::work(format!("the session is deleted, but its files below {} are not: {error}", files.display()))
    })?;
    storage.close().await;
    screen.show(&json!({ "deleted": id }), || format!("{} is deleted with everything in it", plain(id.as_str())));
    Ok(())
}

fn text(session: &Session, messages: &[Message], calls: &[CallRecord], usage: &UsageTotal) -> String {
    let mut parts =
        vec![format!("{} {DIM}{} messages since {}{DIM:#}", plain(session.id.as_str()), session.messages, time(session.began))];
    parts.extend(messages.iter().map(message));
    if !calls.is_empty() {
        parts.push(format!("{DIM}calls{DIM:#}\n{}", table(&calls.iter().map(call).collect::<Vec<_>>())));
    }
    if usage.answers > 0 {
        let UsageTotal { answers, usage, .. } = usage;
        parts.push(format!(
            "{DIM}{answers} answers of models: {} tokens read, {} written{DIM:#}",
            usage.input_tokens, usage.output_tokens
        ));
    }
    parts.join("\n")
}

fn message(message: &Message) -> String {
    let (who, text, files) = match &message.body {
        Body::Person { user, text, files, .. } => {
            (user.as_ref().map_or("person", |user| user.as_str()).to_owned(), text, files.as_slice())
        }
        Body::Notice { plugin, text, .. } => {
            (plugin.as_ref().map_or("notice".to_owned(), |plugin| format!("notice of {plugin}")), text, &[][..])
        }
        Body::Answer { plugin, text, .. } => {
            (plugin.as_ref().map_or("agent".to_owned(), |plugin| format!("agent, by {plugin}")), text, &[][..])
        }
        Body::Result { tool, text, files, .. } => (format!("result of {tool}"), text, files.as_slice()),
        Body::Summary { through, text } => (format!("summary up to {through}"), text, &[][..]),
    };
    let hidden = if message.hidden { ", hidden" } else { "" };
    let head = format!("{DIM}{} {}{hidden}, {}:{DIM:#}", message.number, plain(&who), time(message.at));
    let files: String = files.iter().map(|file: &File| format!("\n{DIM}({file:?}){DIM:#}")).collect();
    format!("{head} {}{files}", plain(text))
}

fn call(call: &CallRecord) -> Vec<String> {
    let outcome = match call.outcome {
        ToolOutcome::Ok => "ok",
        ToolOutcome::Failed => "failed",
        ToolOutcome::Denied => "denied",
    };
    let short = |text: &str| {
        let line = plain(text).replace('\n', " ");
        if line.chars().count() > MOST_OF_A_CALL {
            format!("{}…", line.chars().take(MOST_OF_A_CALL).collect::<String>())
        } else {
            line
        }
    };
    vec![time(call.at), format!("{}({})", call.tool, short(&call.arguments)), format!("{outcome}: {}", short(&call.result))]
}

/// Writes a moment to the second.
fn time(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}
