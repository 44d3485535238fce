//! Keeps a readable transcript of each conversation: one Markdown file to a session, without what looks like a secret.

#![forbid(unsafe_code)]

mod entry;
mod limit;
mod name;
mod secret;

use nekro_core::{
    event::facts::{ToolOutcome, TurnOutcome},
    prelude::*,
};

use crate::{entry::Entry, limit::Limit};

/// Keeps a readable transcript of each conversation, if the operator wants that.
///
/// The files are in the plugin's own directory, one to a session. What looks like a secret is left out.
#[plugin(category = "records")]
#[serde(default)]
pub struct Transcript {
    /// Whether transcripts are kept.
    record: bool,
    /// Whether what tools are called with is written too.
    arguments: bool,
    /// The most characters of a message that are written.
    max_message: Limit<100, 100_000>,
    /// The most bytes of a file. One that is full takes the place of the one before it, which ends in `.old.md`.
    max_bytes: Limit<10_000, 10_000_000>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self { record: false, arguments: true, max_message: Limit::of::<4_000>(), max_bytes: Limit::of::<1_000_000>() }
    }
}

/// Writes that a session began.
#[on_event]
async fn session_created(event: &SessionCreated, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let user = event.user.as_ref().map_or(String::new(), |user| format!(" by {user}"));
    let what = format!("session {} begun on {}{user}", event.session, event.channel);
    transcript.write(files, clock, &event.session, &Entry::Event { what: &what, about: None }).await
}

/// Writes a message that came in.
#[on_event]
async fn message_received(event: &MessageReceived, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let from = event.user.as_ref().map_or("somebody", UserId::as_str);
    transcript.write(files, clock, &event.session, &Entry::Message { from, text: &event.text }).await
}

/// Writes a message that went out.
#[on_event]
async fn message_sent(event: &MessageSent, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let from = event.plugin.as_ref().map_or("agent".to_owned(), |plugin| format!("agent, plugin {plugin}"));
    transcript.write(files, clock, &event.session, &Entry::Message { from: &from, text: &event.text }).await
}

/// Writes that a tool is called.
#[on_event]
async fn tool_call_started(event: &ToolCallStarted, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let Some(session) = &event.session else { return Ok(()) };
    let arguments = transcript.arguments.then_some(&event.arguments);
    transcript.write(files, clock, session, &Entry::Call { tool: &event.tool, arguments }).await
}

/// Writes how a tool call ended.
#[on_event]
async fn tool_executed(event: &ToolExecuted, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let Some(session) = &event.session else { return Ok(()) };
    let what = match event.outcome {
        ToolOutcome::Ok => "is done",
        ToolOutcome::Failed => "failed",
        ToolOutcome::Denied => "was refused",
    };
    transcript.write(files, clock, session, &Entry::Tool { tool: &event.tool, what }).await
}

/// Writes that a person is asked about a tool.
#[on_event]
async fn approval_required(event: &ApprovalRequired, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let Some(session) = &event.session else { return Ok(()) };
    let what = format!("approval of {} is asked for", event.tool);
    transcript.write(files, clock, session, &Entry::Event { what: &what, about: Some(&event.reason) }).await
}

/// Writes what the person said.
#[on_event]
async fn approval_resolved(event: &ApprovalResolved, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let Some(session) = &event.session else { return Ok(()) };
    let by = event.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
    let what = format!("approval {}{by}", if event.approved { "given" } else { "refused" });
    transcript.write(files, clock, session, &Entry::Event { what: &what, about: None }).await
}

/// Writes that another model takes over.
#[on_event]
async fn llm_fallback(event: &LlmFallback, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let what = format!("model {} takes over from {}", event.to, event.from);
    transcript.write(files, clock, &event.session, &Entry::Event { what: &what, about: Some(&event.reason) }).await
}

/// Writes that a turn ended without an answer.
#[on_event]
async fn turn_complete(event: &TurnComplete, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let what = match event.outcome {
        TurnOutcome::Answered | TurnOutcome::Silent => return Ok(()),
        TurnOutcome::Cancelled => "turn was stopped",
        TurnOutcome::Failed => "turn failed",
        TurnOutcome::Limit => "turn reached a limit",
    };
    transcript.write(files, clock, &event.session, &Entry::Event { what, about: None }).await
}

/// Writes what was left of the history that was cut.
#[on_event]
async fn summary_updated(event: &SummaryUpdated, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let what = "earlier messages were summed up";
    transcript.write(files, clock, &event.session, &Entry::Event { what, about: Some(&event.summary) }).await
}

/// Writes that the session was reset.
#[on_event]
async fn session_clear(event: &SessionClear, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    transcript.write(files, clock, &event.session, &Entry::Event { what: "begun anew", about: None }).await
}

/// Writes that the agent is in another state.
#[on_event]
async fn state_transition(event: &StateTransition, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let what = format!("state {} after {}", event.to, event.from);
    transcript.write(files, clock, &event.session, &Entry::Event { what: &what, about: None }).await
}

/// Writes that a schedule was due.
#[on_event]
async fn schedule_fired(event: &ScheduleFired, files: &Files, clock: &Clock, transcript: &Transcript) -> Result<()> {
    let Some(session) = &event.session else { return Ok(()) };
    let what = format!("schedule {} was due", event.schedule);
    transcript.write(files, clock, session, &Entry::Event { what: &what, about: None }).await
}

/// Shows the end of the transcript of this conversation.
#[command(name = "transcript", role = manager)]
async fn show(
    ctx: &Ctx,
    files: &Files,
    transcript: &Transcript,
    /// How many lines of it.
    #[arg(default = 40, range = 1..=500)]
    lines: usize,
) -> Result<String> {
    let session = ctx.session().ok_or_else(|| Error::new("there is no conversation here").with_code("no_session"))?;
    let path = name::path(session.as_str()).map(|path| path + ENDING);
    let text = match path {
        Some(path) if files.own().metadata(&path).await?.is_some() => files.own().read_text(&path).await?,
        _ if transcript.record => return Ok("There is no transcript yet.".to_owned()),
        _ => return Ok("No transcripts are kept: `plugins.transcript.record` is off.".to_owned()),
    };
    let all: Vec<_> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].join("\n"))
}

/// How the file that is written to ends.
const ENDING: &str = ".md";

/// How the full one before it ends.
const OLD: &str = ".old.md";

impl Transcript {
    async fn write(&self, files: &Files, clock: &Clock, session: &SessionId, entry: &Entry<'_>) -> Result<()> {
        if !self.record {
            return Ok(());
        }
        let too_long = || Error::new("the id of the session is too long to be the name of a file").with_code("bad_path");
        let path = name::path(session.as_str()).ok_or_else(too_long)?;
        let folder = files.own();
        let current = format!("{path}{ENDING}");
        let written = folder.append(&current, entry.markdown(clock.now(), self.max_message.get() as usize)).await?;
        // The facts of a session are handled one after the other, so nothing is appended meanwhile.
        if written.bytes > self.max_bytes.get().into() {
            let full = folder.read(&current).await?;
            folder.write(format!("{path}{OLD}"), full).await?;
            folder.remove(&current).await?;
        }
        Ok(())
    }
}
