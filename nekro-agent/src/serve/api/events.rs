//! Events: which there are, emitting one, and following the facts.

use nekro_core::{Method, Role, event::Sort, kernel::EventEntry, web::Answer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answers, Operation, run};
use crate::serve::{problem::Problem, request::Request, server::Server};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/events",
        "list_events",
        "Lists the events, and how many handlers listen to each.",
        run!(list),
    )
    .json::<Vec<Event>>(),
    Operation::new(Method::Get, "/api/events/{event}", "show_event", "Shows an event with its schema.", run!(show))
        .json::<Event>(),
    Operation::new(
        Method::Post,
        "/api/events/{event}",
        "emit_event",
        "Emits a fact, or asks for a decision and returns its verdict. The body has the event's fields.",
        run!(emit),
    )
    .role(Role::Admin)
    .body::<Map<String, Value>>()
    .json::<Emitted>(),
    Operation::new(
        Method::Get,
        "/api/stream",
        "follow_events",
        "Streams every fact as it is emitted, or those of one event.",
        run!(follow),
    )
    .role(Role::Admin)
    .query::<Which>()
    .answers(Answers::Events),
];

/// An event.
#[derive(Serialize, JsonSchema)]
struct Event {
    /// Its name, such as `session_created`.
    name: String,
    /// Whether it is a fact or a decision.
    sort: Sort,
    /// What it says.
    description: String,
    /// How many handlers listen to it.
    handlers: usize,
    /// Its JSON Schema.
    schema: Value,
}

impl Event {
    fn of(entry: &EventEntry) -> Self {
        Self {
            name: entry.name.clone(),
            sort: entry.decl.sort,
            description: entry.decl.docs.to_owned(),
            handlers: entry.handlers().count(),
            schema: entry.schema().clone(),
        }
    }
}

fn find<'s>(server: &'s Server, request: &Request) -> Result<&'s EventEntry, Problem> {
    let name = request.path("event");
    let registry = server.kernel.registry();
    registry.event(name).ok_or_else(|| {
        let problem = Problem::new(404, "unknown_event", format!("there is no event `{name}`"));
        match nekro_core::suggest(name, registry.events().iter().map(|event| event.name.as_str())) {
            Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
            None => problem,
        }
    })
}

async fn list(server: &Server, _: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&server.kernel.registry().events().iter().map(Event::of).collect::<Vec<_>>())?)
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&Event::of(find(server, request)?))?)
}

/// What became of an event.
#[derive(Serialize, JsonSchema)]
struct Emitted {
    /// Its name.
    event: String,
    /// The verdict, if it is a decision.
    verdict: Value,
    /// How many handlers listen to it.
    handlers: usize,
}

async fn emit(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let entry = find(server, request)?;
    let fields = Value::Object(request.object()?).to_string();
    let verdict = (entry.decl.trigger)(&server.kernel, &fields, &request.caller()).await?;
    Ok(Answer::json(&Emitted { event: entry.name.clone(), verdict, handlers: entry.handlers().count() })?)
}

/// Which facts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Those of this event only.
    event: Option<String>,
}

async fn follow(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Which { event } = request.query()?;
    let events = server.feed.facts.listen();
    Ok(Answer::events(match event {
        Some(event) if server.kernel.registry().event(&event).is_none() => {
            return Err(Problem::new(404, "unknown_event", format!("there is no event `{event}`")));
        }
        Some(event) => events.about(event),
        None => events,
    }))
}
