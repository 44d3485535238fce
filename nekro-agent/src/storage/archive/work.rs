//! Lines of what is to be done: tasks, schedules, and webhooks that came.

use jiff::Timestamp;
use nekro_core::{Caller, Schedule, TaskProblem};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::storage::StorageError;

/// A task. Texts of JSON are to the byte what was written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskLine {
    number: i64,
    plugin: String,
    name: String,
    arguments: String,
    caller: Caller,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    state: State,
    due: Timestamp,
    runs: u32,
    failures: u32,
    cancel: bool,
    percent: u8,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<TaskProblem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    tell: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retried: Option<i64>,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
}

/// One that runs is queued in another directory: nobody runs it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Queued,
    Succeeded,
    Failed,
    Cancelled,
}

/// What a task was given, or until when it waits: after the tasks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NoticeLine {
    task: i64,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// A schedule.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ScheduleLine {
    plugin: String,
    declared: bool,
    schedule: Schedule,
    caller: Caller,
    most_failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tick: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<String>,
    runs: u64,
    failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
    created: Timestamp,
}

/// A webhook that came. One that does not wait any more has no payload, and is there to be known again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WebhookLine {
    plugin: String,
    hook: String,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    payload: String,
    came: Timestamp,
    tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp, StorageError> {
    at(row.get(column)?)
}

fn maybe(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, StorageError> {
    row.get::<_, Option<i64>>(column)?.map(at).transpose()
}

fn at(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_microsecond(micros).map_err(|error| StorageError::Record(error.to_string()))
}

fn micros(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::as_microsecond)
}

fn is_json(what: &str, text: &str) -> Result<(), StorageError> {
    let read = serde_json::from_str::<serde::de::IgnoredAny>(text);
    read.map(drop).map_err(|error| StorageError::Record(format!("{what} is no JSON: {error}")))
}

impl TaskLine {
    pub(super) const COLUMNS: &str =
        "number, plugin, name, arguments, caller, root, parent, schedule, serial, key, state, due, epoch, failures,
        cancel, percent, text, checkpoint, result, problem, callback, tell, retried, created, ended";

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let state = match row.get_ref(10)?.as_str().unwrap_or_default() {
            "queued" | "running" => State::Queued,
            "succeeded" => State::Succeeded,
            "failed" => State::Failed,
            "cancelled" => State::Cancelled,
            other => return Err(StorageError::Record(format!("a task is {other:?}"))),
        };
        Ok(Self {
            number: row.get(0)?,
            plugin: row.get(1)?,
            name: row.get(2)?,
            arguments: row.get(3)?,
            caller: serde_json::from_str(&row.get::<_, String>(4)?)?,
            root: row.get(5)?,
            parent: row.get(6)?,
            schedule: row.get(7)?,
            serial: row.get(8)?,
            key: row.get(9)?,
            state,
            due: moment(row, 11)?,
            runs: row.get(12)?,
            failures: row.get(13)?,
            cancel: row.get(14)?,
            percent: row.get(15)?,
            text: row.get(16)?,
            checkpoint: row.get(17)?,
            result: row.get(18)?,
            problem: row.get::<_, Option<String>>(19)?.map(|problem| serde_json::from_str(&problem)).transpose()?,
            callback: row.get(20)?,
            tell: row.get(21)?,
            retried: row.get(22)?,
            created: moment(row, 23)?,
            ended: maybe(row, 24)?,
        })
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StorageError> {
        if self.number < 1 {
            return Err(StorageError::Record(format!("a task has the number {}", self.number)));
        }
        if (self.state == State::Queued) == self.ended.is_some() {
            return Err(StorageError::Record("a task has ended, or it waits".to_owned()));
        }
        is_json("what a task is given", &self.arguments)?;
        for text in [&self.checkpoint, &self.result].into_iter().flatten() {
            is_json("what a task keeps", text)?;
        }
        let state = match self.state {
            State::Queued => "queued",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        };
        let columns = Self::COLUMNS;
        let places = "?, ".repeat(columns.split(',').count());
        db.prepare_cached(&format!("INSERT INTO task ({columns}, session) VALUES ({places} ?)"))?.execute(params![
            self.number,
            self.plugin,
            self.name,
            self.arguments,
            serde_json::to_string(&self.caller)?,
            self.root,
            self.parent,
            self.schedule,
            self.serial,
            self.key,
            state,
            self.due.as_microsecond(),
            self.runs,
            self.failures,
            self.cancel,
            self.percent.min(100),
            self.text,
            self.checkpoint,
            self.result,
            self.problem.as_ref().map(serde_json::to_string).transpose()?,
            self.callback,
            self.tell,
            self.retried,
            self.created.as_microsecond(),
            micros(self.ended),
            self.caller.session.as_ref().map(|session| session.as_str()),
        ])?;
        Ok(())
    }
}

impl NoticeLine {
    /// Those of tasks of which something is true.
    pub(super) fn select(condition: &str) -> String {
        format!(
            "SELECT task, name, json, NULL FROM task_notice WHERE task IN (SELECT number FROM task WHERE {condition})
             UNION ALL SELECT task, name, NULL, until FROM task_wait WHERE task IN (SELECT number FROM task WHERE {condition})
             ORDER BY task, name"
        )
    }

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        Ok(Self { task: row.get(0)?, name: row.get(1)?, json: row.get(2)?, until: maybe(row, 3)? })
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StorageError> {
        let there = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM task WHERE number = ?)")?;
        if !{ there }.query_row([self.task], |row| row.get::<_, bool>(0))? {
            return Err(StorageError::Record("a notice follows its task".to_owned()));
        }
        match (&self.json, self.until) {
            (Some(json), None) => {
                is_json("a notice", json)?;
                db.prepare_cached("INSERT INTO task_notice (task, name, json) VALUES (?, ?, ?)")?
                    .execute(params![self.task, self.name, json])?;
            }
            (None, Some(until)) => {
                db.prepare_cached("INSERT INTO task_wait (task, name, until) VALUES (?, ?, ?)")?.execute(params![
                    self.task,
                    self.name,
                    until.as_microsecond()
                ])?;
            }
            _ => return Err(StorageError::Record("a notice has either `json` or `until`".to_owned())),
        }
        Ok(())
    }
}

impl ScheduleLine {
    pub(super) const COLUMNS: &str =
        "plugin, declared, spec, caller, most_failures, tick, due, paused, runs, failures, last, created";

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            plugin: row.get(0)?,
            declared: row.get(1)?,
            schedule: serde_json::from_str(&row.get::<_, String>(2)?)?,
            caller: serde_json::from_str(&row.get::<_, String>(3)?)?,
            most_failures: row.get(4)?,
            tick: maybe(row, 5)?,
            due: maybe(row, 6)?,
            paused: row.get(7)?,
            runs: row.get(8)?,
            failures: row.get(9)?,
            last: maybe(row, 10)?,
            created: moment(row, 11)?,
        })
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StorageError> {
        self.schedule.check().map_err(|problem| StorageError::Record(format!("a schedule is wrong: {problem}")))?;
        let sql = format!("INSERT INTO schedule ({}, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", Self::COLUMNS);
        db.prepare_cached(&sql)?.execute(params![
            self.plugin,
            self.declared,
            serde_json::to_string(&self.schedule)?,
            serde_json::to_string(&self.caller)?,
            self.most_failures,
            micros(self.tick),
            micros(self.due),
            self.paused,
            i64::try_from(self.runs).unwrap_or(i64::MAX),
            self.failures,
            micros(self.last),
            self.created.as_microsecond(),
            self.schedule.name,
        ])?;
        Ok(())
    }
}

impl WebhookLine {
    pub(super) const COLUMNS: &str = "plugin, hook, id, event, payload, came, tries, due, problem";

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            plugin: row.get(0)?,
            hook: row.get(1)?,
            id: row.get(2)?,
            event: row.get(3)?,
            payload: row.get(4)?,
            came: moment(row, 5)?,
            tries: row.get(6)?,
            due: maybe(row, 7)?,
            problem: row.get(8)?,
        })
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StorageError> {
        if self.due.is_some() {
            is_json("the payload of a webhook", &self.payload)?;
        }
        let sql = format!("INSERT INTO delivery ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", Self::COLUMNS);
        db.prepare_cached(&sql)?.execute(params![
            self.plugin,
            self.hook,
            self.id,
            self.event,
            self.payload,
            self.came.as_microsecond(),
            self.tries,
            micros(self.due),
            self.problem,
        ])?;
        Ok(())
    }
}
