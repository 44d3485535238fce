//! Reminders: once or again and again, said in words, each in its conversation.

#![forbid(unsafe_code)]

mod when;

use jiff::tz::TimeZone;
use nekro_core::{ScheduleRecord, prelude::*};

use crate::when::{FORMS, When, zone};

/// Reminders, once or again and again, said in words.
#[plugin(category = "time")]
#[serde(default)]
pub struct Timer {
    /// The time zone in which words such as `tomorrow at 9` are read, such as `Europe/Berlin`.
    zone: String,
    /// How many reminders a conversation may have.
    max_reminders: usize,
    /// How many characters a reminder may have.
    max_length: usize,
}

impl Default for Timer {
    fn default() -> Self {
        Self { zone: "UTC".to_owned(), max_reminders: 50, max_length: 500 }
    }
}

impl Timer {
    fn rules(&self) -> Result<TimeZone> {
        zone(&self.zone).ok_or_else(|| {
            Error::new(format!("there is no time zone `{}`", self.zone))
                .with_hint("set `plugins.timer.zone` to a name such as `Europe/Berlin`")
        })
    }
}

/// A reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reminder {
    /// What it is called by.
    pub number: String,
    /// When it comes next.
    pub next: Option<Timestamp>,
    /// Whether it comes again and again.
    pub repeated: bool,
    /// What it says.
    pub text: String,
}

/// Reminds the people of this conversation of something, once or again and again.
#[tool(tags = ["timer", "alarm", "later"])]
async fn remind(
    ctx: &Ctx,
    clock: &Clock,
    store: &Store,
    schedules: &Schedules,
    timer: &Timer,
    /// What to remind of.
    text: String,
    /// When, such as "in 10 minutes", "tomorrow at 9", "every monday at 8:30", or a cron expression.
    when: String,
    /// Whether you are told, to do something about it, instead of the people.
    #[arg(default = false)]
    wake_me: bool,
) -> Result<Note<Reminder>> {
    let session = ctx.session().ok_or_else(no_session)?;
    if text.trim().is_empty() || text.chars().count() > timer.max_length {
        return Err(Error::new(format!("a reminder has 1 to {} characters (`plugins.timer.max_length`)", timer.max_length))
            .with_code("invalid_arguments"));
    }
    let when =
        When::parse(&when).map_err(|error| Error::new(error.to_string()).with_code("invalid_arguments").with_hint(FORMS))?;
    if of_session(schedules, session).await?.len() >= timer.max_reminders {
        return Err(Error::new(format!(
            "this conversation has {} reminders already (`plugins.timer.max_reminders`)",
            timer.max_reminders
        ))
        .with_code("busy")
        .with_hint("cancel one first"));
    }
    // Counted in the conversation, so that people can say which they mean.
    let number = store.session()?.update("reminders", |count: Option<u64>| count.unwrap_or(0) + 1).await?;
    let name = format!("{session}/{number}");
    let schedule = match &when {
        When::Every(every) => Schedule::every(name, *every),
        When::Cron(cron) => Schedule::cron(name, cron).zone(&timer.zone),
        once => {
            let now = clock.now().to_zoned(timer.rules()?);
            let moment =
                once.moment(&now).ok_or_else(|| Error::new("no calendar has that moment").with_code("invalid_arguments"))?;
            Schedule::at(name, moment)
        }
    };
    let schedule = if wake_me { schedule.prompt(format!("Reminder: {text}")) } else { schedule.message(format!("⏰ {text}")) };
    let record = schedules.add(schedule).await?;
    let reminder = described(&record);
    let at = reminder.next.map_or(String::new(), |next| format!(", next at {next}"));
    let note = format!("Reminder {} is set{at}: {text}", reminder.number);
    Ok(Note::new(reminder, note))
}

/// Lists the reminders of this conversation, the next one first.
#[tool(read_only)]
async fn list(ctx: &Ctx, schedules: &Schedules) -> Result<Vec<Reminder>> {
    let session = ctx.session().ok_or_else(no_session)?;
    let mut all: Vec<_> = of_session(schedules, session).await?.iter().map(described).collect();
    all.sort_by_key(|reminder| (reminder.next.is_none(), reminder.next, reminder.number.clone()));
    Ok(all)
}

/// Cancels a reminder of this conversation.
#[tool(idempotent)]
async fn cancel(
    ctx: &Ctx,
    schedules: &Schedules,
    /// Its number, as the listing has it.
    number: String,
) -> Result<Note<bool>> {
    let session = ctx.session().ok_or_else(no_session)?;
    let all = of_session(schedules, session).await?;
    let found = all.iter().find(|record| described(record).number == number);
    let found = found.ok_or_else(|| Error::new(format!("there is no reminder {number} here")).with_code("not_found"))?;
    schedules.remove(&found.schedule.name).await?;
    Ok(Note::new(true, format!("Reminder {number} is cancelled.")))
}

/// Lists the reminders of this conversation.
#[command]
async fn reminders(ctx: &Ctx, schedules: &Schedules) -> Result<String> {
    let all = list(ctx, schedules).await?;
    let line = |reminder: &Reminder| {
        let next = reminder.next.map_or("rests".to_owned(), |next| next.to_string());
        format!("{} {next} {}", reminder.number, reminder.text)
    };
    Ok(match all.as_slice() {
        [] => "there are no reminders here".to_owned(),
        all => all.iter().map(line).collect::<Vec<_>>().join("\n"),
    })
}

fn no_session() -> Error {
    Error::new("a reminder belongs to a conversation, and there is none").with_code("no_session")
}

/// Returns the reminders of a conversation, and of no other whose name only begins like it.
async fn of_session(schedules: &Schedules, session: &SessionId) -> Result<Vec<ScheduleRecord>> {
    let mut all = schedules.list(&format!("{session}/")).await?;
    all.retain(|record| record.session.as_ref() == Some(session));
    Ok(all)
}

fn described(record: &ScheduleRecord) -> Reminder {
    let number = record.schedule.name.rsplit('/').next().unwrap_or_default().to_owned();
    let text = match &record.schedule.action {
        nekro_core::Action::Message { text } | nekro_core::Action::Prompt { text } => text.as_str(),
        _ => "",
    };
    let text = text.trim_start_matches("⏰ ").trim_start_matches("Reminder: ").to_owned();
    let repeated = !matches!(record.schedule.when, nekro_core::ScheduleWhen::At { .. });
    Reminder { number, next: record.next, repeated, text }
}
