//! A digest of a conversation: written by a model, kept as a file, and sent; every day, or when somebody asks for it.

#![forbid(unsafe_code)]

mod file;
mod history;
mod summary;

use std::time::Duration;

use nekro_core::{ScheduleRecord, prelude::*};

pub use crate::summary::Summary;
use crate::{
    file::{is_before, name},
    history::{History, Said},
};

/// A digest of a conversation, every day or when somebody asks for it.
#[plugin(category = "records", resources = ["digests/{session}"])]
#[serde(default)]
pub struct Report {
    /// When a conversation gets its daily digest that names no time of its own, as a cron expression.
    cron: String,
    /// The time zone of cron expressions, such as `Europe/Berlin`.
    zone: String,
    /// How many messages a digest is made of at most; the last ones count.
    max_messages: usize,
    /// How many characters of them the model reads at most; the last ones count.
    max_characters: usize,
    /// For how many days digests are kept as files.
    keep_days: u32,
}

impl Default for Report {
    fn default() -> Self {
        Self { cron: "0 18 * * *".to_owned(), zone: "UTC".to_owned(), max_messages: 1_000, max_characters: 60_000, keep_days: 90 }
    }
}

/// What was made of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// What the model wrote; nothing if nobody said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// How many messages it is made of.
    pub messages: usize,
    /// Whether earlier ones were left out, for there were too many.
    pub cut: bool,
    /// The file in the plugin's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How far a digest has come, for the run that goes on with it.
#[derive(Serialize, Deserialize)]
enum Step {
    /// The model has been asked, and need not be paid again.
    Written(Digest),
    /// The people have it, and need not get it again.
    Sent(Digest),
}

/// Writes a digest of what was said in this conversation, keeps it as a file, and sends it to the people.
///
/// Use it when somebody wants to know what happened, or asks for a summary to keep.
#[task(tool, retries = 2, backoff = "30s", deadline = "10m", on_terminal = told)]
async fn now(
    task: &Task,
    sessions: &Sessions,
    model: &Model,
    files: &Files,
    messages: &Messages,
    clock: &Clock,
    report: &Report,
    /// How many hours back it looks.
    #[arg(default = 24, range = 1..=720)]
    hours: u32,
) -> Result<Digest> {
    let digest = match task.last_checkpoint()? {
        Some(Step::Sent(digest)) => return Ok(digest),
        Some(Step::Written(digest)) => digest,
        None => {
            task.progress(10, "reads what was said");
            let history = report.read(sessions, clock, hours).await?;
            if !history.has_people() {
                return Ok(Digest { summary: None, messages: 0, cut: false, file: None });
            }
            task.progress(30, format!("asks the model about {} messages", history.len()));
            let summary: Summary = model.instructions(summary::INSTRUCTIONS).extract(history.to_string()).await?;
            let file = folder(sessions.own()?.id())?.join(&name(&clock.now().to_string(), task.id().as_str()))?.to_string();
            let digest = Digest { summary: Some(summary), messages: history.len(), cut: history.is_cut(), file: Some(file) };
            task.checkpoint(&Step::Written(digest.clone())).await?;
            digest
        }
    };
    if let (Some(summary), Some(file)) = (&digest.summary, &digest.file) {
        task.progress(80, "sends the digest");
        let session = sessions.own()?;
        let text = summary.markdown(session.id().as_str(), hours, digest.messages, digest.cut);
        files.own().write(file.as_str(), text.clone()).await?;
        let name = file.rsplit('/').next().unwrap_or(file);
        let message = Message::new(summary.text(hours)).file(name, "text/markdown", text);
        messages.send(message).await?;
        task.checkpoint(&Step::Sent(digest.clone())).await?;
    }
    Ok(digest)
}

/// Tells the people that there will be no digest, if that is so.
#[task]
async fn told(
    messages: &Messages,
    /// How it ended.
    end: TaskEnd,
) -> Result<()> {
    if end.state == TaskState::Failed {
        let why = end.problem.map_or_else(|| "it failed".to_owned(), |problem| problem.message);
        messages.send(format!("There is no digest: {why}")).await?;
    }
    Ok(())
}

/// Sends a digest of this conversation again and again from now on, in place of what was set up before.
#[tool(tags = ["digest", "summary"])]
async fn daily(
    ctx: &Ctx,
    schedules: &Schedules,
    report: &Report,
    /// When, as a cron expression such as "0 18 * * 1-5"; if left out, as the operator has set it up.
    cron: Option<String>,
    /// How many hours back each looks.
    #[arg(default = 24, range = 1..=720)]
    hours: u32,
) -> Result<Note<Option<Timestamp>>> {
    let session = ctx.session().ok_or_else(no_session)?;
    let cron = cron.unwrap_or_else(|| report.cron.clone());
    // One to a conversation: it has that name.
    let schedule = Schedule::cron(session.as_str(), cron).zone(&report.zone).task(now { hours })?;
    let record = schedules.add(schedule).await?;
    let at = record.next.map_or(String::new(), |next| format!(", next at {next}"));
    Ok(Note::new(record.next, format!("A digest comes every day{at}.")))
}

/// Sends no more digests of this conversation.
#[tool(idempotent, tags = ["digest", "summary"])]
async fn stop(ctx: &Ctx, schedules: &Schedules) -> Result<bool> {
    let session = ctx.session().ok_or_else(no_session)?;
    schedules.remove(session.as_str()).await
}

/// Writes a digest of this conversation, and tells whether there is a daily one.
#[command(name = "report")]
async fn ask(
    ctx: &Ctx,
    sessions: &Sessions,
    clock: &Clock,
    tasks: &Tasks,
    schedules: &Schedules,
    report: &Report,
    /// How many hours back it looks.
    #[arg(default = 24, range = 1..=720)]
    hours: u32,
) -> Result<String> {
    let session = ctx.session().ok_or_else(no_session)?;
    let all = schedules.list(session.as_str()).await?;
    let daily = |record: &&ScheduleRecord| record.schedule.name == session.as_str();
    let next = match all.iter().find(daily) {
        Some(ScheduleRecord { next: Some(next), .. }) => format!("the next daily one comes at {next}"),
        Some(_) => "the daily one rests".to_owned(),
        None => "`/report.daily` sends one every day".to_owned(),
    };
    if !report.read(sessions, clock, hours).await?.has_people() {
        return Ok(format!("nobody said anything within {hours} hours; {next}"));
    }
    let task = tasks.start(now { hours }).await?;
    Ok(format!("{task} writes a digest; {next}"))
}

/// Removes digests that were kept long enough.
#[schedule(cron = "30 3 * * *", retries = 1)]
async fn tidy(files: &Files, clock: &Clock, report: &Report) -> Result<()> {
    let kept = Duration::from_secs(u64::from(report.keep_days) * 24 * 3_600);
    let Ok(first) = clock.now().checked_sub(kept) else { return Ok(()) };
    let first = first.to_string();
    let own = files.own();
    if own.metadata(DIGESTS).await?.is_none() {
        return Ok(());
    }
    for folder in own.list_in(DIGESTS).await? {
        for entry in own.list_in(&folder.path).await? {
            if is_before(entry.path.name(), &first) {
                own.remove(&entry.path).await?;
            }
        }
    }
    Ok(())
}

/// Where digests are, those of each conversation in a directory of its own: MCP clients are shown them.
const DIGESTS: &str = "digests";

fn folder(session: &SessionId) -> Result<SandboxPath> {
    Ok(DIGESTS.parse::<SandboxPath>()?.join(SandboxPath::of_session(session)?.as_str())?)
}

fn no_session() -> Error {
    Error::new("a digest is of a conversation, and there is none").with_code("no_session")
}

/// How many messages are read at once.
const PAGE: usize = 200;

impl Report {
    /// Reads what was said within so many hours.
    async fn read(&self, sessions: &Sessions, clock: &Clock, hours: u32) -> Result<History> {
        let conversation = sessions.own()?;
        let since = clock.now().checked_sub(Duration::from_secs(u64::from(hours) * 3_600)).unwrap_or(Timestamp::MIN);
        let mut history = History::new(self.max_messages, self.max_characters);
        let mut before = None;
        loop {
            let page = conversation.messages(before, PAGE).await?;
            let Some(last) = page.last() else { return Ok(history) };
            before = Some(last.number);
            for message in page {
                if message.at < since {
                    return Ok(history);
                }
                let by_person = matches!(message.by, By::Person { .. });
                let Some(by) = speaker(message.by) else { continue };
                if !history.add(Said { at: message.at.to_string(), by, by_person, text: message.text }) {
                    return Ok(history);
                }
            }
        }
    }
}

/// Names who spoke to the others. What only the agent was told is nobody's word, and neither is an earlier digest.
fn speaker(by: By) -> Option<String> {
    match by {
        By::Person { user } => Some(user.map_or_else(|| "somebody".to_owned(), |user| user.to_string())),
        By::Agent => Some("the agent".to_owned()),
        By::Plugin { plugin } if plugin.as_str() != "report" => Some(format!("the plugin {plugin}")),
        _ => None,
    }
}
