//! Schedules: what is due, and what an operator does to one. Who reaches which is as with tasks.

use nekro_core::{Method, ScheduleRecord, Timestamp, web::Answer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, run, tasks::reaches};
use crate::serve::{problem::Problem, request::Request, server::Server};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/schedules",
        "list_schedules",
        "Lists the schedules that the caller reaches, in the order of their names.",
        run!(list),
    )
    .query::<Which>()
    .json::<Vec<Schedule>>(),
    Operation::new(Method::Get, "/api/schedules/next", "list_next_schedules", "Lists what is due next.", run!(next))
        .query::<Count>()
        .json::<Vec<Due>>(),
    Operation::new(
        Method::Get,
        "/api/schedules/{schedule}",
        "show_schedule",
        "Shows a schedule. Its name is that of its plugin, a point and its own, such as `report.tidy`.",
        run!(show),
    )
    .json::<Schedule>(),
    Operation::new(
        Method::Delete,
        "/api/schedules/{schedule}",
        "delete_schedule",
        "Deletes a schedule. One that its plugin declares comes back with the next start: pausing lets it rest.",
        run!(delete),
    ),
    Operation::new(Method::Post, "/api/schedules/{schedule}/pause", "pause_schedule", "Lets a schedule rest.", run!(pause))
        .json::<Schedule>(),
    Operation::new(
        Method::Post,
        "/api/schedules/{schedule}/resume",
        "resume_schedule",
        "Lets a schedule go on that rests.",
        run!(resume),
    )
    .json::<Schedule>(),
    Operation::new(
        Method::Post,
        "/api/schedules/{schedule}/run",
        "run_schedule",
        "Runs a schedule once, beside its times.",
        run!(run_now),
    )
    .json::<Schedule>(),
];

/// The most times that are listed at once.
const MOST: usize = 1_000;

/// How many times are listed if nobody says.
const LISTED: usize = 10;

/// Which schedules.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Of this plugin only.
    plugin: Option<String>,
}

/// A schedule, and how it is doing.
#[derive(Serialize, JsonSchema)]
struct Schedule {
    /// What the paths call it.
    name: String,
    #[serde(flatten)]
    record: ScheduleRecord,
}

impl From<ScheduleRecord> for Schedule {
    fn from(record: ScheduleRecord) -> Self {
        Self { name: record.full_name(), record }
    }
}

async fn reached(server: &Server, request: &Request, plugin: Option<&str>) -> Result<Vec<ScheduleRecord>, Problem> {
    let mut all = server.background.book.all(plugin).await?;
    all.retain(|record| reaches(request, record.session.as_ref()));
    Ok(all)
}

async fn list(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Which { plugin } = request.query()?;
    let all = reached(server, request, plugin.as_deref()).await?;
    Ok(Answer::json(&all.into_iter().map(Schedule::from).collect::<Vec<_>>())?)
}

/// How many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Count {
    /// How many times, at most 1000; 10 if nobody says.
    count: Option<u16>,
}

/// A time at which a schedule is due.
#[derive(Serialize, JsonSchema)]
struct Due {
    /// The moment.
    at: Timestamp,
    /// The schedule.
    schedule: String,
}

async fn next(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Count { count } = request.query()?;
    let count = count.map_or(LISTED, usize::from).min(MOST);
    let due = server.background.book.upcoming_of(count, |record| reaches(request, record.session.as_ref())).await?;
    let due = due.into_iter().map(|(at, record)| Due { at, schedule: record.full_name() });
    Ok(Answer::json(&due.collect::<Vec<_>>())?)
}

/// Returns the schedule in the path, if the caller reaches it.
async fn known(server: &Server, request: &Request) -> Result<ScheduleRecord, Problem> {
    let name = request.path("schedule");
    let all = reached(server, request, None).await?;
    if let Some(found) = all.iter().find(|record| record.full_name() == name) {
        return Ok(found.clone());
    }
    let problem = Problem::new(404, "unknown_schedule", format!("there is no schedule `{name}`"));
    let names: Vec<_> = all.iter().map(ScheduleRecord::full_name).collect();
    Err(match nekro_core::suggest(name, names.iter().map(String::as_str)) {
        Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
        None => problem.with_hint("GET /api/schedules lists those that are there"),
    })
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&Schedule::from(known(server, request).await?))?)
}

async fn delete(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let record = known(server, request).await?;
    server.background.book.remove_of(record.plugin.as_str(), &record.schedule.name).await?;
    Ok(Answer::bytes("", Vec::new()).with_status(204))
}

async fn pause(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let record = known(server, request).await?;
    server.background.book.pause_of(record.plugin.as_str(), &record.schedule.name, true).await?;
    show(server, request).await
}

async fn resume(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let record = known(server, request).await?;
    server.background.book.pause_of(record.plugin.as_str(), &record.schedule.name, false).await?;
    show(server, request).await
}

async fn run_now(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let record = known(server, request).await?;
    server.background.book.run_now_of(record.plugin.as_str(), &record.schedule.name).await?;
    // One that is run for the last time is there no more.
    Ok(Answer::json(&Schedule::from(match known(server, request).await {
        Ok(now) => now,
        Err(_) => record,
    }))?)
}
