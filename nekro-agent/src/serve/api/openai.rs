//! The agent as a model, for clients of the OpenAI API: <https://platform.openai.com/docs/api-reference/chat>.
//!
//! A client sends the whole conversation each time. The one that the last answer left off is found again by what was said, and goes on
//! in its session; any other begins a session of its own, with what the client says was said before.

use nekro_core::{
    Error, Method, SessionId, Timestamp,
    event::facts::TurnOutcome,
    web::{Answer, Channel, Notice},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{Answers, Operation, described, run, sessions::inbound};
use crate::{
    agent::{Ended, Fate},
    history::{Body, HistoryPort, NewMessage},
    model::Usage,
    serve::{access, conversations::Said, feed::Step, problem::Problem, request::Request, server::Server},
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/v1/models",
        "list_models",
        "Lists the agent as a model, and each model that it may ask.",
        run!(models),
    )
    .json::<Map<String, Value>>(),
    Operation::new(
        Method::Post,
        "/v1/chat/completions",
        "chat_completion",
        "Answers a conversation. The agent calls its tools itself, and what it does is kept in a session.",
        run!(complete),
    )
    .body::<Asked>()
    .answers(Answers::JsonOrEvents(described::<Map<String, Value>>)),
];

/// The agent, as the model that its settings choose.
const AGENT: &str = "nekro";

/// How many messages a conversation may have.
const MOST_MESSAGES: usize = 2_000;

async fn models(server: &Server, _: &Request) -> Result<Answer, Problem> {
    let names = std::iter::once(AGENT.to_owned()).chain(server.machine.models().into_iter().filter(|name| name != AGENT));
    let models: Vec<_> = names.map(|name| json!({ "id": name, "object": "model", "created": 0, "owned_by": AGENT })).collect();
    Ok(Answer::json(&json!({ "object": "list", "data": models }))?)
}

/// What a client asks. Whatever else it sends is for models, and the agent's own settings say that.
#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// `nekro`, or one of the models that `/v1/models` lists.
    model: String,
    /// What was said so far; the last one is the user's.
    #[schemars(length(min = 1, max = 2_000))]
    messages: Vec<ChatMessage>,
    /// Whether the answer comes piece by piece.
    #[serde(default)]
    stream: Option<bool>,
}

/// One thing that was said.
#[derive(Deserialize, JsonSchema)]
struct ChatMessage {
    /// By whom: `system`, `developer`, `user`, `assistant` or `tool`.
    role: Speaker,
    /// What.
    #[serde(default)]
    content: Option<Content>,
}

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

/// A text, in one piece or in several.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Content {
    Whole(String),
    Parts(Vec<Part>),
}

/// A piece of a text. Pieces of other kinds are left out.
#[derive(Deserialize, JsonSchema)]
struct Part {
    /// The text.
    #[serde(default)]
    text: Option<String>,
}

impl ChatMessage {
    fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Whole(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// A conversation on its way to an answer.
struct Asking {
    model: String,
    session: SessionId,
    // What was said, the question included.
    said: Said,
    before: Usage,
    ended: oneshot::Receiver<Ended>,
    steps: mpsc::UnboundedReceiver<Step>,
}

async fn complete(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let answered = match begin(server, request).await {
        Ok((asking, true)) => return Ok(stream(server, asking)),
        Ok((asking, false)) => whole(server, asking).await,
        Err(problem) => Err(problem),
    };
    // These clients know errors in this form.
    answered.or_else(|problem| Ok(Answer::json(&json!({ "error": error(&problem) }))?.with_status(problem.status)))
}

fn error(problem: &Problem) -> Value {
    let kind = if problem.status < 500 { "invalid_request_error" } else { "server_error" };
    let message = match &problem.hint {
        Some(hint) => format!("{}: {hint}", problem.detail),
        None => problem.detail.to_string(),
    };
    json!({ "message": message, "type": kind, "param": null, "code": problem.code })
}

async fn begin(server: &Server, request: &Request) -> Result<(Asking, bool), Problem> {
    let Asked { model, messages, stream } = request.json()?;
    if messages.len() > MOST_MESSAGES {
        return Err(Problem::bad_request(format!("there are more than {MOST_MESSAGES} messages")));
    }
    let is_rule = |one: &&ChatMessage| matches!(one.role, Speaker::System | Speaker::Developer);
    let rules = messages.iter().filter(is_rule).map(ChatMessage::text).collect::<Vec<_>>().join("\n");
    let mut spoken: Vec<_> = messages
        .iter()
        .filter(|one| matches!(one.role, Speaker::User | Speaker::Assistant))
        .map(|one| (one.role, one.text()))
        .collect();
    let question = match spoken.pop() {
        Some((Speaker::User, text)) if !text.trim().is_empty() => text,
        _ => return Err(Problem::bad_request("the last message is the user's, and has a text")),
    };
    if model != AGENT && !server.machine.models().contains(&model) {
        return Err(
            Problem::new(404, "model_not_found", format!("there is no model `{model}`")).with_hint("/v1/models lists them")
        );
    }
    if server.is_ending() {
        return Err(Problem::new(503, "ending", "the agent is ending").retryable());
    }
    let said =
        spoken.iter().fold(Said::nothing(&request.identity.name, &rules), |said, (role, text)| said.then(word(*role), text));
    let session = match server.kept.conversations.take(said).filter(|_| !spoken.is_empty()) {
        Some(session) => session,
        None => begin_session(server, request, &rules, spoken).await?,
    };
    let chosen = Some(model.as_str()).filter(|model| *model != AGENT);
    server.machine.set_model(&session, chosen).await?;
    let before = server.storage.usage(&session).await?.usage;
    let steps = server.feed.follow(&session);
    let received = server.machine.receive(inbound(request, session.clone(), question.clone())).await?;
    let ended = match received.fate {
        Fate::Answered(ended) => ended,
        Fate::Hidden => return Err(Problem::new(403, "denied", "a plugin decided that the agent does not see this message")),
        Fate::Taken { by } => return Err(Problem::new(409, "taken", format!("the message answers a question of {by}"))),
        Fate::Unanswered { reason } => return Err(Problem::new(503, "busy", reason).retryable()),
    };
    let said = said.then(word(Speaker::User), &question);
    Ok((Asking { model, session, said, before, ended, steps }, stream.unwrap_or(false)))
}

/// Begins a session with what the client says was said before.
async fn begin_session(
    server: &Server,
    request: &Request,
    rules: &str,
    spoken: Vec<(Speaker, String)>,
) -> Result<SessionId, Problem> {
    let random =
        access::random().map_err(|error| Error::new(format!("no name can be made up: {error}")).with_code("unavailable"))?;
    let session = SessionId::from(format!("{}:chat-{}", request.identity.session(), &random[..16]));
    server.machine.open(&session, Some(&request.identity.session().as_str().into())).await?;
    if !rules.trim().is_empty() {
        server.machine.set_persona(&session, Some(rules)).await?;
    }
    let body = |(role, text): (Speaker, String)| match role {
        Speaker::Assistant => Body::Answer { plugin: None, model: None, text, reasoning: String::new(), calls: Vec::new() },
        _ => Body::Person { user: Some(request.identity.session().as_str().into()), text, original: None, files: Vec::new() },
    };
    let messages: Vec<_> = spoken.into_iter().map(|one| NewMessage { turn: None, hidden: false, body: body(one) }).collect();
    if !messages.is_empty() {
        server.storage.append(&session, messages).await?;
    }
    Ok(session)
}

fn word(role: Speaker) -> &'static str {
    if role == Speaker::Assistant { "assistant" } else { "user" }
}

fn given_up() -> Problem {
    Problem::new(503, "ending", "the turn was given up").retryable()
}

/// Waits for the answer, and sends it whole.
async fn whole(server: &Server, asking: Asking) -> Result<Answer, Problem> {
    let Asking { model, session, said, before, ended, steps } = asking;
    drop(steps);
    let ended = ended.await.map_err(|_| given_up())?;
    let (answer, reason) = outcome(&ended)?;
    server.kept.conversations.put(said.then("assistant", &answer), session.clone());
    let usage = server.storage.usage(&session).await?.usage;
    let (read, written) =
        (usage.input_tokens.saturating_sub(before.input_tokens), usage.output_tokens.saturating_sub(before.output_tokens));
    Ok(Answer::json(&json!({
        "id": format!("chatcmpl-{}", said.name()),
        "object": "chat.completion",
        "created": Timestamp::now().as_second(),
        "model": model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": answer, "refusal": null },
            "logprobs": null,
            "finish_reason": reason,
        }],
        "usage": { "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written },
    }))?)
}

fn outcome(ended: &Ended) -> Result<(String, &'static str), Problem> {
    let answer = ended.answer.clone().unwrap_or_default();
    match (ended.outcome, &ended.problem) {
        (TurnOutcome::Failed, problem) => {
            Err(Problem::new(502, "turn_failed", problem.clone().unwrap_or_else(|| "the turn failed".to_owned())))
        }
        (TurnOutcome::Limit, _) => Ok((answer, "length")),
        _ => Ok((answer, "stop")),
    }
}

/// Sends the answer as it comes. A client that goes away meanwhile has stopped the turn.
fn stream(server: &Server, asking: Asking) -> Answer {
    // Nothing of an answer may be lost, and its length is bounded elsewhere.
    let channel = Channel::keeping(usize::MAX);
    let events = channel.listen();
    let chunks = Chunks { channel, id: asking.said.name(), model: asking.model.clone(), created: Timestamp::now().as_second() };
    let (machine, conversations) = (server.machine.clone(), std::sync::Arc::clone(&server.kept.conversations));
    drop(tokio::spawn(async move {
        let session = asking.session.clone();
        let said = asking.said;
        tokio::select! {
            biased;
            answer = chunks.follow(asking) => {
                if let Some(answer) = answer {
                    conversations.put(said.then("assistant", &answer), session);
                }
            }
            () = chunks.channel.deserted() => drop(machine.stop(&session)),
        }
    }));
    Answer::events(events)
}

/// An answer that is sent piece by piece.
struct Chunks {
    channel: Channel,
    id: String,
    model: String,
    created: i64,
}

impl Chunks {
    fn send(&self, delta: &Value, reason: Option<&str>) {
        let chunk = json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }],
        });
        self.channel.tell(Notice::text("", chunk.to_string()));
    }

    /// Sends what comes, until the turn has ended. Returns what was answered.
    async fn follow(&self, asking: Asking) -> Option<String> {
        let Asking { mut ended, mut steps, .. } = asking;
        self.send(&json!({ "role": "assistant", "content": "" }), None);
        let mut shown = String::new();
        let mut show = |step: Step| match step {
            Step::Text(text) => {
                self.send(&json!({ "content": text }), None);
                shown.push_str(&text);
            }
            // It may have come piece by piece before.
            Step::Sent(text) if !shown.trim_end().ends_with(text.trim_end()) => {
                self.send(&json!({ "content": text }), None);
                shown.push_str(&text);
            }
            Step::Sent(_) => {}
        };
        let ended = loop {
            tokio::select! {
                biased;
                Some(step) = steps.recv() => show(step),
                ended = &mut ended => break ended,
            }
        };
        // What was said before the end is there by now.
        while let Ok(step) = steps.try_recv() {
            show(step);
        }
        let answered = ended.map_err(|_| given_up()).and_then(|ended| outcome(&ended));
        match &answered {
            Ok((_, reason)) => self.send(&json!({}), Some(reason)),
            Err(problem) => self.channel.tell(Notice::text("", json!({ "error": error(problem) }).to_string())),
        }
        self.channel.tell(Notice::text("", "[DONE]"));
        answered.ok().map(|(answer, _)| answer)
    }
}
