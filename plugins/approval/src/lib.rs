//! Asking a person something, and waiting for the answer, for hours if need be.

#![forbid(unsafe_code)]

use std::time::Duration;

use nekro_core::{TaskRecord, prelude::*};

/// Asks a person, and waits for the answer, for hours if need be.
#[plugin(category = "people")]
#[serde(default)]
pub struct Approval {
    /// How many hours a question waits for its answer at most.
    max_hours: u32,
    /// How many characters a question or an answer may have.
    max_length: usize,
}

impl Default for Approval {
    fn default() -> Self {
        Self { max_hours: 72, max_length: 1_000 }
    }
}

/// What the question waits for.
const ANSWER: &str = "answer";

/// How many questions are listed.
const MOST: usize = 100;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What the person said.
    pub answer: String,
    /// Who that was, if the channel knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// Asks the people of this conversation something that only they can decide, and waits for the answer.
///
/// Use it before anything that cannot be undone. Go on with other things meanwhile.
#[task(tool, when_disabled = cancel)]
async fn ask(
    task: &Task,
    messages: &Messages,
    approval: &Approval,
    /// The question, with all that is needed to decide.
    question: String,
    /// How many hours it may take.
    #[arg(default = 8, range = 1..=720)]
    hours: u32,
) -> Result<Answer> {
    fits("a question", &question, approval)?;
    let hours = hours.min(approval.max_hours);
    // Asked once, however often the agent is started again meanwhile.
    if task.last_checkpoint::<bool>()? != Some(true) {
        let id = task.id();
        messages.send(format!("❓ {question}\n\n`/answer {id} …` answers, within {hours} hours.")).await?;
        task.checkpoint(&true).await?;
    }
    let answer = task.wait(ANSWER, Duration::from_secs(u64::from(hours) * 3_600)).await?;
    answer.ok_or_else(|| Error::new(format!("nobody answered within {hours} hours: {question}")).with_code("unanswered"))
}

/// Answers a question of this conversation.
#[command]
async fn answer(
    ctx: &Ctx,
    tasks: &Tasks,
    approval: &Approval,
    /// The question, such as t12.
    question: TaskId,
    /// What to say.
    answer: String,
) -> Result<String> {
    fits("an answer", &answer, approval)?;
    let found = tasks.get(&question).await?.filter(|record| is_open_here(record, ctx));
    let missing =
        || Error::new(format!("no question {question} waits here")).with_code("not_found").with_hint("`/questions` lists them");
    found.ok_or_else(missing)?;
    let said = Answer { answer, by: ctx.caller().user.clone() };
    if tasks.notify(&question, ANSWER, &said).await? {
        Ok(format!("{question} is answered"))
    } else {
        Err(Error::new(format!("{question} was answered before")).with_code("answered"))
    }
}

/// Lists the questions of this conversation that wait for an answer.
#[command]
async fn questions(ctx: &Ctx, tasks: &Tasks) -> Result<String> {
    let all = tasks.list(None, MOST).await?;
    let open: Vec<_> = all.iter().filter(|record| is_open_here(record, ctx)).map(line).collect();
    Ok(if open.is_empty() { "no question waits here".to_owned() } else { open.join("\n") })
}

fn line(record: &TaskRecord) -> String {
    let question = record.arguments.get("question").and_then(|question| question.as_str()).unwrap_or_default();
    format!("{} {question}", record.id)
}

fn is_open_here(record: &TaskRecord, ctx: &Ctx) -> bool {
    record.name == "ask" && !record.state.is_terminal() && record.session.as_ref() == ctx.session()
}

fn fits(what: &str, text: &str, approval: &Approval) -> Result<()> {
    let most = approval.max_length;
    if !text.trim().is_empty() && text.chars().count() <= most {
        return Ok(());
    }
    Err(Error::new(format!("{what} has 1 to {most} characters (`plugins.approval.max_length`)")).with_code("invalid_arguments"))
}
