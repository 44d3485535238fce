//! Tools: what the caller sees, and calling one. The kernel decides on both, as it does for a model.

use nekro_core::{Method, SessionId, kernel, manifest, web::Answer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::Instrument;

use super::{Operation, run};
use crate::serve::{problem::Problem, request::Request, server::Server};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(Method::Get, "/api/tools", "list_tools", "Lists the tools that the caller may call.", run!(list))
        .query::<Where>()
        .json::<Vec<Tool>>(),
    Operation::new(Method::Get, "/api/tools/{tool}", "show_tool", "Shows a tool with its schemas.", run!(show))
        .query::<Where>()
        .json::<Map<String, Value>>(),
    Operation::new(
        Method::Post,
        "/api/tools/{tool}",
        "call_tool",
        "Calls a tool. The body has its arguments; the document describes each tool's at its own path, too.",
        run!(call),
    )
    .query::<Where>()
    .body::<Map<String, Value>>()
    .json::<Reply>(),
    Operation::new(
        Method::Post,
        "/api/tools/{tool}/words",
        "call_tool_by_words",
        "Calls a tool with words as a person types them: `--name value`, and the rest by position.",
        run!(call_by_words),
    )
    .query::<Where>()
    .body::<Words>()
    .json::<Reply>(),
];

/// A call as a person types it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// The words after the name of the tool.
    words: Vec<String>,
}

/// In which conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Where {
    /// The session; the caller's own if none is named.
    session: Option<String>,
}

/// A tool.
#[derive(Serialize, JsonSchema)]
struct Tool {
    /// Its name, such as `dice.roll`.
    name: String,
    /// What it does.
    description: String,
    /// The JSON Schema of its arguments.
    arguments: Value,
}

/// What a tool answered.
#[derive(Serialize, JsonSchema)]
struct Reply {
    /// What happens next: `value`, `note`, `show` or `content`.
    kind: Value,
    /// The value.
    value: Value,
    /// What it wants remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Its text, and images by their size.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

fn caller(request: &Request) -> Result<nekro_core::Caller, Problem> {
    let Where { session } = request.query()?;
    Ok(match session {
        Some(session) => request.caller().in_session(request.reached(SessionId::from(session))?),
        None => request.caller(),
    })
}

async fn list(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let caller = caller(request)?;
    let tool = |entry: kernel::Tool<'_>| Tool {
        name: entry.name().to_owned(),
        description: entry.docs().to_owned(),
        arguments: entry.arguments().clone(),
    };
    Ok(Answer::json(&server.kernel.tools(&caller).map(tool).collect::<Vec<_>>())?)
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let (caller, name) = (caller(request)?, request.path("tool"));
    let entry = server.kernel.tools(&caller).find(|entry| entry.name() == name);
    match entry {
        Some(entry) => Ok(Answer::json(&manifest::Tool::of(&entry))?),
        None => Err(Problem::new(404, "unknown_tool", format!("there is no tool `{name}`"))),
    }
}

async fn call(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let (caller, name) = (caller(request)?, request.path("tool"));
    let arguments = Value::Object(request.object()?).to_string();
    let span = tracing::info_span!("call", session = caller.session.as_ref().map(tracing::field::display));
    let reply = server.kernel.call(name, &arguments, &caller).instrument(span).await?;
    answered(reply)
}

async fn call_by_words(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let (caller, name) = (caller(request)?, request.path("tool"));
    let Words { words } = request.json()?;
    let span = tracing::info_span!("call", session = caller.session.as_ref().map(tracing::field::display));
    answered(server.kernel.call_words(name, &words, &caller).instrument(span).await?)
}

fn answered(reply: nekro_core::Reply) -> Result<Answer, Problem> {
    let text = (!reply.content.is_empty()).then(|| reply.to_text());
    Ok(Answer::json(&Reply {
        kind: serde_json::to_value(reply.kind).unwrap_or(Value::Null),
        value: serde_json::from_str(&reply.json).unwrap_or(Value::Null),
        note: reply.note,
        text,
    })?)
}
