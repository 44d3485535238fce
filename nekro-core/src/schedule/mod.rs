//! What `#[schedule]` says of a function, and what a plugin sets up while it runs: when something is done, and what.

mod cron;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::cron::{Cron, CronError};
use crate::{
    duration,
    error::Result,
    event::{Event, Fact},
    ids::{PluginId, SessionId},
    location::Location,
    task::{TaskArguments, TaskDecl},
};

/// The declaration of a schedule: the task that it runs, and when.
#[derive(Debug)]
pub struct ScheduleDecl {
    /// The task; the schedule has its name.
    pub task: &'static TaskDecl,
    /// When.
    pub when: WhenDecl,
    /// On which days.
    pub workdays: Workdays,
    /// What becomes of a run whose time has passed.
    pub misfire: Misfire,
    /// What becomes of a run while the last one has not ended.
    pub overlap: Overlap,
    /// How long after its time a run still counts as in time; `None` for the host's.
    pub grace: Option<Duration>,
    /// By how much a run is put off at most, by chance.
    pub jitter: Option<Duration>,
    /// After how many failures in a row it rests; `None` for the host's.
    pub pause_after: Option<u32>,
    /// Where the function stands.
    pub location: Location,
}

inventory::collect!(&'static ScheduleDecl);

/// When a declared schedule is due.
#[derive(Clone, Copy, Debug)]
pub enum WhenDecl {
    /// By a cron expression, in a time zone.
    Cron(&'static str, &'static str),
    /// Again and again, counted from the last time.
    Every(Duration),
    /// Again and again, counted from the end of the last run.
    AfterEach(Duration),
    /// Once.
    At(&'static str),
}

impl ScheduleDecl {
    /// Returns it as one that is set up while the agent runs.
    ///
    /// # Errors
    ///
    /// Says what is wrong with its time.
    pub fn schedule(&self) -> Result<Schedule, String> {
        let when = match self.when {
            WhenDecl::Cron(cron, zone) => When::Cron { cron: cron.to_owned(), zone: zone.to_owned() },
            WhenDecl::Every(every) => When::Every { every, from_end: false },
            WhenDecl::AfterEach(every) => When::Every { every, from_end: true },
            WhenDecl::At(at) => When::At {
                at: at.parse().map_err(|error| format!("`{at}` is no moment such as `2026-12-31T09:00:00Z`: {error}"))?,
            },
        };
        let action =
            Action::Task { task: self.task.name.to_owned(), arguments: Value::Object(serde_json::Map::new()), on_terminal: None };
        let schedule = Schedule {
            workdays: self.workdays,
            misfire: self.misfire,
            overlap: self.overlap,
            grace: self.grace,
            jitter: self.jitter.unwrap_or_default(),
            pause_after: self.pause_after,
            ..Schedule::new(self.task.name, when, action)
        };
        schedule.check()?;
        Ok(schedule)
    }
}

/// When something is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Once.
    At {
        /// The moment.
        at: Timestamp,
    },
    /// Again and again.
    Every {
        /// The time between two.
        #[serde(with = "duration")]
        #[schemars(with = "String")]
        every: Duration,
        /// It counts from the end of the last run, and not from the last time.
        #[serde(default)]
        from_end: bool,
    },
    /// By a cron expression.
    Cron {
        /// The expression, such as `0 9 * * 1-5`.
        cron: String,
        /// The time zone, such as `Europe/Berlin`.
        zone: String,
    },
}

/// What a schedule does. What belongs to a conversation belongs to that of whoever set it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Runs a task of the plugin.
    Task {
        /// Its name.
        task: String,
        /// What it is given.
        arguments: Value,
        /// The task that is started when it has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_terminal: Option<String>,
    },
    /// Emits a fact.
    Event {
        /// Its name on the wire.
        event: String,
        /// Its fields.
        fields: Value,
    },
    /// Sends a message to the people in the conversation.
    Message {
        /// What to say.
        text: String,
    },
    /// Tells the agent something in the conversation, and lets it answer.
    Prompt {
        /// What to tell it.
        text: String,
    },
}

/// On which days a schedule is due. The operator's calendar says which days are workdays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Workdays {
    /// On all.
    #[default]
    All,
    /// On workdays only.
    Only,
    /// On days off only.
    Off,
    /// On workdays, and what falls on a day off comes on the next workday.
    Next,
    /// On workdays, and what falls on a day off comes on the last workday before.
    Previous,
}

/// What becomes of runs whose time has passed by more than the grace, because the agent did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// All of them together are one run, at once.
    #[default]
    Once,
    /// There is none.
    Skip,
    /// Each is run, one after the other.
    All,
}

/// What becomes of a run while the last one has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// There is none.
    #[default]
    Skip,
    /// It waits.
    Queue,
    /// Both run.
    Parallel,
}

/// Something that is done at a time, or again and again.
///
/// ```
/// # use nekro_core::{Overlap, Schedule, Workdays};
/// # use std::time::Duration;
/// let standup = Schedule::cron("standup", "0 9 * * *").zone("Europe/Berlin").workdays(Workdays::Only).message("Standup!");
/// let watch = Schedule::every("watch", Duration::from_secs(900)).overlap(Overlap::Skip).jitter(Duration::from_secs(60)).prompt("Look at the queue.");
/// # assert!(standup.check().is_ok() && watch.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Schedule {
    /// The name within the plugin. A second schedule of the name takes the place of the first.
    pub name: String,
    /// When.
    pub when: When,
    /// What.
    pub action: Action,
    /// On which days.
    #[serde(default)]
    pub workdays: Workdays,
    /// What becomes of a run whose time has passed.
    #[serde(default)]
    pub misfire: Misfire,
    /// What becomes of a run while the last one has not ended.
    #[serde(default)]
    pub overlap: Overlap,
    /// How long after its time a run still counts as in time, in place of the host's.
    #[serde(default, with = "duration::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub grace: Option<Duration>,
    /// By how much a run is put off at most, by chance.
    #[serde(default, with = "duration")]
    #[schemars(with = "String")]
    pub jitter: Duration,
    /// After how many failures in a row it rests, in place of the host's; with 0, never.
    #[serde(default)]
    pub pause_after: Option<u32>,
    /// How often it is run at most.
    #[serde(default)]
    pub most_runs: Option<u32>,
    /// Until when it is run.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Schedule {
    fn new(name: impl Into<String>, when: When, action: Action) -> Self {
        Self {
            name: name.into(),
            when,
            action,
            workdays: Workdays::default(),
            misfire: Misfire::default(),
            overlap: Overlap::default(),
            grace: None,
            jitter: Duration::ZERO,
            pause_after: None,
            most_runs: None,
            until: None,
        }
    }

    fn nothing() -> Action {
        Action::Message { text: String::new() }
    }

    /// Something that is done once.
    pub fn at(name: impl Into<String>, at: Timestamp) -> Self {
        Self::new(name, When::At { at }, Self::nothing())
    }

    /// Something that is done again and again.
    pub fn every(name: impl Into<String>, every: Duration) -> Self {
        Self::new(name, When::Every { every, from_end: false }, Self::nothing())
    }

    /// Something that is done again and again, so long after it has ended.
    pub fn after_each(name: impl Into<String>, pause: Duration) -> Self {
        Self::new(name, When::Every { every: pause, from_end: true }, Self::nothing())
    }

    /// Something that is done by a cron expression, in UTC unless [`Schedule::zone`] says otherwise.
    pub fn cron(name: impl Into<String>, cron: impl Into<String>) -> Self {
        Self::new(name, When::Cron { cron: cron.into(), zone: "UTC".to_owned() }, Self::nothing())
    }

    /// Says in which time zone a cron expression is read.
    #[must_use]
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        if let When::Cron { zone, .. } = &mut self.when {
            *zone = name.into();
        }
        self
    }

    /// Sends a message to the people in the conversation.
    #[must_use]
    pub fn message(self, text: impl Into<String>) -> Self {
        Self { action: Action::Message { text: text.into() }, ..self }
    }

    /// Tells the agent something in the conversation, and lets it answer.
    #[must_use]
    pub fn prompt(self, text: impl Into<String>) -> Self {
        Self { action: Action::Prompt { text: text.into() }, ..self }
    }

    /// Runs a task of the plugin.
    ///
    /// # Errors
    ///
    /// If an argument has no JSON form.
    pub fn task<T: TaskArguments>(self, task: T) -> Result<Self> {
        let action = Action::Task {
            task: T::DECL.name.to_owned(),
            arguments: serde_json::from_str(&task.to_json()?)?,
            on_terminal: T::DECL.on_terminal.map(str::to_owned),
        };
        Ok(Self { action, ..self })
    }

    /// Emits a fact.
    ///
    /// # Errors
    ///
    /// If it has no JSON form.
    pub fn event<E: Fact>(self, event: &E) -> Result<Self> {
        let fields = serde_json::to_value(event)?;
        Ok(Self { action: Action::Event { event: <E as Event>::DECL.wire_name(), fields }, ..self })
    }

    /// Says on which days.
    #[must_use]
    pub fn workdays(self, workdays: Workdays) -> Self {
        Self { workdays, ..self }
    }

    /// Says what becomes of a run whose time has passed.
    #[must_use]
    pub fn misfire(self, misfire: Misfire) -> Self {
        Self { misfire, ..self }
    }

    /// Says how long after its time a run still counts as in time.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace: Some(grace), ..self }
    }

    /// Says what becomes of a run while the last one has not ended.
    #[must_use]
    pub fn overlap(self, overlap: Overlap) -> Self {
        Self { overlap, ..self }
    }

    /// Puts each run off by chance, so that not everything begins at once.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Lets it rest after so many failures in a row.
    #[must_use]
    pub fn pause_after(self, failures: u32) -> Self {
        Self { pause_after: Some(failures), ..self }
    }

    /// Ends it after so many runs.
    #[must_use]
    pub fn most_runs(self, runs: u32) -> Self {
        Self { most_runs: Some(runs), ..self }
    }

    /// Ends it at a moment.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Checks what can be known without a calendar.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        const MOST_NAME: usize = 200;
        if self.name.is_empty() || self.name.len() > MOST_NAME || self.name.chars().any(char::is_control) {
            return Err(format!("the name of a schedule has 1 to {MOST_NAME} characters, on one line"));
        }
        match &self.when {
            When::Cron { cron, .. } => cron.parse::<Cron>().map(drop).map_err(|error| error.to_string()),
            When::Every { every, .. } if every.as_millis() < 1_000 => {
                Err("the time between two runs is at least one second".to_owned())
            }
            When::At { .. } | When::Every { .. } => Ok(()),
        }
    }
}

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ScheduleRecord {
    /// Whose it is.
    pub plugin: PluginId,
    /// What it does, and when.
    pub schedule: Schedule,
    /// Whether a function says so, and not a plugin that runs.
    pub is_declared: bool,
    /// The conversation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// When it is due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Why it rests, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// How often it was run.
    pub runs: u32,
    /// How often in a row it has failed.
    pub failures: u32,
    /// When it was run last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

impl ScheduleRecord {
    /// A schedule that was just set up, for hosts and tests.
    pub fn new(plugin: PluginId, schedule: Schedule) -> Self {
        Self { plugin, schedule, is_declared: false, session: None, next: None, paused: None, runs: 0, failures: 0, last: None }
    }

    /// Returns its name as `nekro schedules` takes it, such as `timer.tea`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.plugin, self.schedule.name)
    }
}
