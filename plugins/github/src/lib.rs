//! Tells conversations what happens in GitHub repositories, by a webhook.

#![forbid(unsafe_code)]

mod news;

use std::collections::{BTreeMap, BTreeSet};

use nekro_core::{prelude::*, web::Hook};

use crate::news::Payload;

/// Tells conversations what happens in GitHub repositories.
#[plugin(category = "work")]
#[serde(default)]
#[derive(Default)]
pub struct Github {
    /// The secret of the webhook, as it is set at GitHub. Without, no webhook is believed.
    webhook_secret: Option<Secret<String>>,
}

/// Something happened in a repository that a conversation has subscribed to.
#[event]
#[derive(Debug, PartialEq)]
pub struct RepositoryNews {
    /// The conversation.
    pub session: SessionId,
    /// The repository, such as `octocat/hello-world`.
    pub repository: String,
    /// What kind of event it is, as GitHub calls it.
    pub event: String,
    /// What happened, in a line of Markdown.
    pub text: String,
}

/// Who is told of which repository.
type Subscriptions = BTreeMap<String, BTreeSet<SessionId>>;

const KEY: &str = "subscriptions";

/// How many repositories there may be subscriptions to, and how many subscriptions to each.
const MOST: usize = 1_000;

async fn subscriptions(store: &Store) -> Result<Subscriptions> {
    Ok(store.get(KEY).await?.unwrap_or_default())
}

fn named(text: &str) -> Result<String> {
    news::repository(text).ok_or_else(|| {
        Error::new(format!("`{text}` is no repository")).with_code("invalid_repository").with_hint("write it as `owner/name`")
    })
}

fn session(context: &Ctx) -> Result<SessionId> {
    context.session().cloned().ok_or_else(|| Error::new("there is no conversation that could be told").with_code("no_session"))
}

/// Tells this conversation what happens in a GitHub repository from now on.
///
/// The repository's webhook must lead here, which its owner sets up.
#[tool(idempotent)]
async fn subscribe(
    store: &Store,
    context: &Ctx,
    /// The repository, as `owner/name`.
    repository: &str,
) -> Result<String> {
    let (repository, session) = (named(repository)?, session(context)?);
    let add = |all: Option<Subscriptions>| {
        let mut all = all.unwrap_or_default();
        let sessions = all.entry(repository.clone()).or_default();
        sessions.insert(session.clone());
        if sessions.len() > MOST || all.len() > MOST {
            return Err(Error::new(format!("there are {MOST} subscriptions already")).with_code("full"));
        }
        Ok(all)
    };
    store.try_update(KEY, add).await?;
    Ok(format!("This conversation is told what happens in {repository}."))
}

/// Tells this conversation no longer what happens in a GitHub repository.
#[tool(idempotent)]
async fn unsubscribe(
    store: &Store,
    context: &Ctx,
    /// The repository, as `owner/name`.
    repository: &str,
) -> Result<String> {
    let (repository, session) = (named(repository)?, session(context)?);
    let remove = |all: Option<Subscriptions>| {
        let mut all = all.unwrap_or_default();
        if let Some(sessions) = all.get_mut(&repository) {
            sessions.remove(&session);
        }
        all.retain(|_, sessions| !sessions.is_empty());
        all
    };
    store.update(KEY, remove).await?;
    Ok(format!("This conversation is no longer told what happens in {repository}."))
}

/// Lists the GitHub repositories that this conversation is told of.
#[tool(name = "subscriptions", read_only)]
async fn list(store: &Store, context: &Ctx) -> Result<Vec<String>> {
    let session = session(context)?;
    let all = subscriptions(store).await?;
    Ok(all.into_iter().filter(|(_, sessions)| sessions.contains(&session)).map(|(repository, _)| repository).collect())
}

/// Takes what GitHub tells of a repository. Set it up there with the content type `application/json` and the secret.
#[webhook("events", signature = github)]
async fn told(hook: &Hook<Payload>, store: &Store, events: &Events) -> Result<()> {
    let event = hook.event.as_deref().unwrap_or_default();
    let (Some(repository), Some(text)) = (hook.payload.repository(), hook.payload.line(event)) else { return Ok(()) };
    let all = subscriptions(store).await?;
    for session in all.get(&repository).into_iter().flatten() {
        let news = RepositoryNews {
            session: session.clone(),
            repository: repository.clone(),
            event: event.to_owned(),
            text: text.clone(),
        };
        events.emit(news);
    }
    Ok(())
}

/// Says it in the conversation.
#[on_event]
async fn announce(news: &RepositoryNews, messages: &Messages) -> Result<()> {
    messages.send(news.text.as_str()).await.map(drop)
}
