//! Conversations: listing them, saying something, and following what comes of it.

use nekro_core::{Method, Role, SessionId, UserId, web::Answer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answers, Operation, described, run};
use crate::{
    agent::{Company, Ended, Fate, From, Inbound},
    history::{self, HistoryPort},
    reach::forget_exchange,
    serve::{
        problem::Problem,
        request::{Request, is_name, unknown_session},
        server::Server,
    },
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/sessions",
        "list_sessions",
        "Lists the sessions that the caller reaches, the one that was used last first.",
        run!(list),
    )
    .query::<Page>()
    .json::<Sessions>(),
    Operation::new(Method::Post, "/api/sessions", "begin_session", "Begins a session.", run!(begin))
        .body::<Begin>()
        .answers(Answers::Json(201, described::<Begun>)),
    Operation::new(Method::Get, "/api/sessions/{session}", "show_session", "Tells how a session is doing.", run!(show))
        .json::<Status>(),
    Operation::new(
        Method::Delete,
        "/api/sessions/{session}",
        "delete_session",
        "Deletes a session with everything in it, and what plugins keep for it.",
        run!(delete),
    ),
    Operation::new(
        Method::Get,
        "/api/sessions/{session}/messages",
        "list_messages",
        "Lists messages, newest first.",
        run!(messages),
    )
    .query::<Before>()
    .json::<Messages>(),
    Operation::new(
        Method::Post,
        "/api/sessions/{session}/messages",
        "send_message",
        "Says something in a session, which begins if it has not. Without `wait`, the answer is followed at `events`.",
        run!(send),
    )
    .body::<Say>()
    .json::<Said>(),
    Operation::new(
        Method::Get,
        "/api/sessions/{session}/events",
        "follow_session",
        "Streams what happens in a session: the steps of its turns, how far its calls have come, and the facts about it.",
        run!(follow),
    )
    .answers(Answers::Events),
    Operation::new(
        Method::Post,
        "/api/sessions/{session}/cancel",
        "cancel_turn",
        "Ends the turn that is under way, and empties the queue.",
        run!(cancel),
    )
    .json::<Cancelled>(),
];

/// How many are listed if nobody says.
const LISTED: usize = 50;

/// The most that are listed at once.
const MOST_LISTED: usize = 500;

/// The longest text of a message, in characters.
const MOST_OF_A_TEXT: usize = 100_000;

/// A page of a listing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// How many, at most 500; 50 if nobody says.
    limit: Option<u16>,
    /// The session that the page before ended with.
    after: Option<String>,
}

/// Sessions.
#[derive(Serialize, JsonSchema)]
struct Sessions {
    /// The sessions.
    items: Vec<Session>,
    /// What the next page comes after; `null` for the last.
    next: Option<String>,
}

/// A session.
#[derive(Serialize, JsonSchema)]
struct Session {
    /// Its name.
    session: String,
    /// When it began.
    began: String,
    /// When something was last written to it.
    used: String,
    /// How many messages it has.
    messages: u64,
    /// What people call it.
    title: Option<String>,
}

async fn list(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Page { limit, after } = request.query()?;
    let limit = most(limit);
    let mut after: Option<SessionId> = after.map(|after| request.reached(after.into())).transpose()?;
    let (mut items, mut more) = (Vec::new(), true);
    // Those of others are passed over; a page may need several readings.
    while more && items.len() <= limit {
        let listing = server.storage.sessions(after.as_ref(), MOST_LISTED).await?;
        more = listing.more;
        after = listing.items.last().map(|last| last.id.clone());
        items.extend(listing.items.into_iter().filter(|session| request.identity.reaches(&session.id)));
        if after.is_none() {
            break;
        }
    }
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| is_more).map(|last| last.id.to_string());
    let items = items.into_iter().map(|session| Session {
        session: session.id.to_string(),
        began: session.began.to_string(),
        used: session.used.to_string(),
        messages: session.messages,
        title: session.settings.title,
    });
    Ok(Answer::json(&Sessions { items: items.collect(), next })?)
}

fn most(limit: Option<u16>) -> usize {
    limit.map_or(LISTED, usize::from).clamp(1, MOST_LISTED)
}

/// What a session is to be called.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// The part of its name after the caller's own. Whoever runs conversations may give a whole name, with its channel. One is made up
    /// if there is none.
    #[serde(default)]
    name: Option<String>,
}

/// A session that is there now.
#[derive(Serialize, JsonSchema)]
struct Begun {
    /// Its name.
    session: String,
}

async fn begin(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let Begin { name } = request.json()?;
    let own = request.identity.session();
    let name = match name {
        Some(name) if name.contains(':') => name,
        Some(name) if is_name(&name) => format!("{own}:{name}"),
        Some(_) => return Err(Problem::bad_request("`name` has 1 to 200 characters, none of which controls anything")),
        None => {
            let random = crate::serve::access::random()
                .map_err(|error| Problem::new(503, "unavailable", format!("no name can be made up: {error}")))?;
            format!("{own}:{}", &random[..16])
        }
    };
    let session = request.reached(name.into())?;
    server.machine.open(&session, Some(&user(request))).await?;
    let location = format!(
        "/api/sessions/{}",
        url::form_urlencoded::byte_serialize(session.as_str().as_bytes()).collect::<String>().replace('+', "%20")
    );
    Ok(Answer::json(&Begun { session: session.to_string() })?.with_status(201).with_header("location", location))
}

/// How a session is doing.
#[derive(Serialize, JsonSchema)]
struct Status {
    /// Its name.
    session: String,
    /// How many messages it has.
    messages: u64,
    /// How many of them wait to be answered.
    waiting: usize,
    /// The turn that is under way.
    turn: Option<String>,
    /// The model.
    model: String,
    /// The state, if the agent has states.
    state: Option<String>,
    /// What it has cost.
    usage: Value,
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = known(server, request).await?;
    let status = server.machine.status(&session).await?;
    Ok(Answer::json(&Status {
        session: session.to_string(),
        messages: status.messages,
        waiting: status.waiting,
        turn: status.turn.map(|turn| turn.to_string()),
        model: status.model,
        state: status.state,
        usage: json!(status.usage),
    })?)
}

/// Returns the session in the path, if there is one.
async fn known(server: &Server, request: &Request) -> Result<SessionId, Problem> {
    let session = request.session()?;
    match server.storage.session(&session).await? {
        Some(_) => Ok(session),
        None => Err(unknown_session(&session)),
    }
}

async fn delete(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = known(server, request).await?;
    server.machine.stop(&session);
    server.storage.delete_session(&session).await?;
    let root = server.storage.directory().path().join("files");
    let forgotten = tokio::task::spawn_blocking(move || forget_exchange(&root, &session)).await;
    if let Ok(Err(error)) = forgotten {
        tracing::warn!("the files of a session that was deleted are not: {error}");
    }
    Ok(Answer::bytes("", Vec::new()).with_status(204))
}

/// Which messages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Before {
    /// How many, at most 500; 50 if nobody says.
    limit: Option<u16>,
    /// Only those before the message of this number.
    before: Option<u32>,
    /// Also those that the model does not see.
    hidden: Option<bool>,
}

/// Messages.
#[derive(Serialize, JsonSchema)]
struct Messages {
    /// The messages, newest first.
    items: Vec<Message>,
    /// What the next page comes before; `null` for the last.
    next: Option<u64>,
}

/// A message.
#[derive(Serialize, JsonSchema)]
struct Message {
    /// Its name.
    id: String,
    /// Its number in the session, from 1.
    number: u64,
    /// The turn that it belongs to.
    turn: Option<String>,
    /// When it was written.
    at: String,
    /// Whether the model does not see it.
    hidden: bool,
    /// What it is: `kind` is `person`, `notice`, `answer`, `result` or `summary`, and `text` what it says.
    body: Value,
}

async fn messages(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = known(server, request).await?;
    let Before { limit, before, hidden } = request.query()?;
    let limit = most(limit);
    let found = server.storage.messages(&session, before.map(u64::from), limit, hidden.unwrap_or(false)).await?;
    let next = found.last().filter(|last| found.len() == limit && last.number > 1).map(|last| last.number);
    let item = |message: history::Message| Message {
        id: message.id.to_string(),
        number: message.number,
        turn: message.turn.map(|turn| turn.to_string()),
        at: message.at.to_string(),
        hidden: message.hidden,
        body: json!(message.body),
    };
    Ok(Answer::json(&Messages { items: found.into_iter().map(item).collect(), next })?)
}

/// Something that is said.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    /// What.
    #[schemars(length(min = 1, max = 100_000))]
    text: String,
    /// Whether to wait for the end of the turn that answers it.
    #[serde(default)]
    wait: bool,
}

/// What became of something that was said.
#[derive(Default, Serialize, JsonSchema)]
struct Said {
    /// The name of the message.
    message: String,
    /// Whether a turn answers it, or will.
    answered: bool,
    /// Why not, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The turn that answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    /// How that turn ended: `answered`, `silent`, `cancelled`, `failed` or `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Value>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

async fn send(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = request.session()?;
    let Say { text, wait } = request.json()?;
    if text.trim().is_empty() || text.chars().nth(MOST_OF_A_TEXT).is_some() {
        return Err(Problem::bad_request(format!("`text` has 1 to {MOST_OF_A_TEXT} characters")));
    }
    if server.is_ending() {
        return Err(Problem::new(503, "ending", "the agent is ending").retryable());
    }
    let received = server.machine.receive(inbound(request, session, text)).await?;
    let said = Said { message: received.message.to_string(), ..Said::default() };
    let said = match received.fate {
        Fate::Hidden => Said { reason: Some("a plugin decided that the agent does not see this message".to_owned()), ..said },
        Fate::Taken { by } => Said { reason: Some(format!("it answers a question of {by}")), ..said },
        Fate::Unanswered { reason } => Said { reason: Some(reason.to_owned()), ..said },
        Fate::Answered(_) if !wait => Said { answered: true, ..said },
        Fate::Answered(ended) => {
            let ended = ended.await.map_err(|_| Problem::new(503, "ending", "the turn was given up").retryable())?;
            let Ended { turn, outcome, answer, problem } = ended;
            let (turn, outcome) = (turn.map(|turn| turn.to_string()), Some(json!(outcome)));
            Said { answered: true, turn, outcome, answer, problem, ..said }
        }
    };
    Ok(Answer::json(&said)?)
}

/// Makes a message of somebody who asks.
pub(super) fn inbound(request: &Request, session: SessionId, text: String) -> Inbound {
    let from = From::Person { user: Some(user(request)), role: request.identity.role.max(Role::User) };
    Inbound { session, company: Company::Private, from, text, files: Vec::new() }
}

fn user(request: &Request) -> UserId {
    request.identity.session().as_str().into()
}

async fn follow(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = request.session()?;
    Ok(Answer::events(server.feed.sessions.listen().about(session.as_str())))
}

/// What was stopped.
#[derive(Serialize, JsonSchema)]
struct Cancelled {
    /// Whether there was anything to stop.
    stopped: bool,
}

async fn cancel(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let session = request.session()?;
    Ok(Answer::json(&Cancelled { stopped: server.machine.stop(&session) })?)
}
