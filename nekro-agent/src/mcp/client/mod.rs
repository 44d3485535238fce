//! MCP servers whose tools the agent uses: they are started, reached, held to their limits, and tried again.
//!
//! The plugin `mcp` decides what of them is offered. It names servers, and this room alone knows how they are reached: so no plugin can
//! start a program or open a connection that the operator did not name, and none sees a key.

mod call;
mod connection;
mod counted;
#[cfg(test)]
mod hostile;
mod meter;
mod settings;
#[cfg(test)]
mod tests;
mod told;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{
    BoxFuture, Error, Progress, Result, ServerAnswer, ToolServerFollower, ToolServerLink, ToolServersPort, suggest,
};
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, ServerResult},
    service::{Peer, ServiceError},
};
use serde_json::{Map, Value};
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
    time::Instant,
};

use self::call::Followed;
use self::connection::{Connection, unavailable};
use self::settings::McpServer;
pub(crate) use self::settings::McpServersSettings;

/// How long a server has to be there before it counts as well again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// The servers that the operator names.
pub(crate) struct Servers {
    named: McpServersSettings,
    // Nobody needs them just now.
    rest: bool,
}

impl Servers {
    /// The servers, which are started when somebody follows them.
    pub(crate) fn new(settings: &McpServersSettings) -> Self {
        Self { named: settings.clone(), rest: false }
    }

    /// The servers by name alone: none is started, and none has tools.
    pub(crate) fn at_rest(settings: &McpServersSettings) -> Self {
        Self { named: settings.clone(), rest: true }
    }
}

/// A server that is not started, for what is done needs none.
struct AtRest(String);

impl ToolServerLink for AtRest {
    fn settled(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn call<'a>(&'a self, _: &'a str, _: Map<String, Value>, _: &'a Progress) -> BoxFuture<'a, Result<ServerAnswer>> {
        let error = unavailable(format!("the MCP server `{}` is not started for this command", self.0));
        Box::pin(std::future::ready(Err(error)))
    }
}

impl ToolServersPort for Servers {
    fn names(&self) -> Vec<String> {
        self.named.0.keys().cloned().collect()
    }

    fn follow(&self, server: &str, follower: Arc<dyn ToolServerFollower>) -> Result<Arc<dyn ToolServerLink>> {
        let Some(settings) = self.named.0.get(server) else {
            let error = Error::new(format!("no MCP server `{server}` is named")).with_code("unknown_server");
            return Err(match suggest(server, self.named.0.keys().map(String::as_str)) {
                Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                None => error.with_hint(format!("name it in the settings, as `[mcp_servers.{server}]`")),
            });
        };
        if self.rest {
            return Ok(Arc::new(AtRest(server.to_owned())));
        }
        Ok(Arc::new(Link::new(server, settings, follower)))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Servers").field(&self.names()).finish()
    }
}

/// A server that is followed.
struct Link {
    shared: Arc<Shared>,
    settled: watch::Receiver<bool>,
    keeping: AbortHandle,
}

/// What calls and the keeper of a connection share.
struct Shared {
    name: String,
    settings: McpServer,
    state: Mutex<State>,
    places: Semaphore,
}

enum State {
    Here(Peer<RoleClient>, Arc<Followed>),
    // And why.
    Gone(String),
}

impl Link {
    fn new(name: &str, settings: &McpServer, follower: Arc<dyn ToolServerFollower>) -> Self {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            settings: settings.clone(),
            state: Mutex::new(State::Gone("it is being started".to_owned())),
            places: Semaphore::new(settings.calls_at_once.max(1)),
        });
        let (done, settled) = watch::channel(false);
        let keeping = tokio::spawn(keep(Arc::clone(&shared), follower, done)).abort_handle();
        Self { shared, settled, keeping }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl ToolServerLink for Link {
    fn settled(&self, limit: Duration) -> BoxFuture<'_, ()> {
        let mut settled = self.settled.clone();
        Box::pin(async move {
            // A keeper that has ended will not settle anything any more, and whoever waits has waited long enough.
            let _ = tokio::time::timeout(limit, settled.wait_for(|settled| *settled)).await;
        })
    }

    fn call<'a>(
        &'a self,
        tool: &'a str,
        arguments: Map<String, Value>,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<ServerAnswer>> {
        Box::pin(self.shared.call(tool, arguments, progress))
    }
}

impl Shared {
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    async fn call(&self, tool: &str, arguments: Map<String, Value>, progress: &Progress) -> Result<ServerAnswer> {
        let (name, limit) = (&self.name, self.settings.call_deadline);
        let (peer, followed) = match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Here(peer, followed) => (peer.clone(), Arc::clone(followed)),
            State::Gone(why) => {
                return Err(unavailable(format!("the MCP server `{name}` is not there: {why}"))
                    .with_hint("it is tried again; `nekro doctor` tells how it is doing"));
            }
        };
        let Ok(_place) = self.places.try_acquire() else {
            let most = self.settings.calls_at_once;
            return Err(Error::new(format!("{most} calls of the MCP server `{name}` are under way, and there may be no more"))
                .with_code("busy")
                .with_hint(format!("the limit is `mcp_servers.{name}.calls_at_once`"))
                .retryable());
        };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        match tokio::time::timeout(limit, followed.call(&peer, request, progress)).await {
            Ok(Ok(ServerResult::CallToolResult(result))) => Ok(told::answer(result)),
            Ok(Ok(ServerResult::InputRequiredResult(_) | ServerResult::CreateTaskResult(_))) => {
                Err(failed(name, "it wants something of the client before it answers, which this one does not give"))
            }
            Ok(Ok(_)) => Err(failed(name, "what it answers to `tools/call` is no answer")),
            Ok(Err(ServiceError::McpError(problem))) => Err(failed(name, &problem.message)),
            Ok(Err(problem)) => Err(unavailable(format!("the MCP server `{name}` was lost during the call: {problem}"))),
            Err(_) => Err(Error::new(format!("the MCP server `{name}` took longer than {limit:?}"))
                .with_code("timeout")
                .with_hint(format!("the limit is `mcp_servers.{name}.call_deadline`"))
                .retryable()),
        }
    }
}

/// Returns what a server says of its failure: as text of somebody else's.
fn failed(name: &str, problem: &str) -> Error {
    let problem: String = problem.chars().filter(|one| !one.is_control()).take(1_000).collect();
    Error::new(format!("the MCP server `{name}` refused the call, and says: {problem:?}")).with_code("server_failed")
}

/// Keeps a server connected for as long as somebody follows it.
async fn keep(shared: Arc<Shared>, follower: Arc<dyn ToolServerFollower>, settled: watch::Sender<bool>) {
    let McpServer { start_deadline, retry_first, retry_most, .. } = shared.settings;
    let mut wait = retry_first;
    loop {
        let began = Instant::now();
        let opened = tokio::time::timeout(start_deadline, open(&shared, &*follower)).await;
        let why = match opened {
            Ok(Ok(connection)) => {
                settled.send_replace(true);
                stay(&shared, &*follower, connection).await
            }
            Ok(Err(problem)) => problem.message().to_owned(),
            Err(_) => format!("it did not list its tools within {start_deadline:?} (`start_deadline`)"),
        };
        shared.set(State::Gone(why.clone()));
        tracing::warn!(server = shared.name, "an MCP server is not there: {why}");
        follower.lost(unavailable(why));
        settled.send_replace(true);
        wait = if began.elapsed() >= WELL_AFTER { retry_first } else { wait };
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(retry_most).max(retry_first);
    }
}

/// Connects, and tells of the tools.
async fn open(shared: &Shared, follower: &dyn ToolServerFollower) -> Result<Connection> {
    let connection = Connection::open(&shared.settings).await?;
    list(shared, follower, &connection).await?;
    Ok(connection)
}

/// Tells of the tools: whoever is told can call them at once.
async fn list(shared: &Shared, follower: &dyn ToolServerFollower, connection: &Connection) -> Result<()> {
    let (tools, more) = connection.list(shared.settings.tools).await?;
    shared.set(State::Here(connection.peer(), connection.followed()));
    follower.listed(tools, more).await;
    Ok(())
}

/// Follows a server while it is there, and returns why it is not any more.
async fn stay(shared: &Shared, follower: &dyn ToolServerFollower, connection: Connection) -> String {
    let McpServer { start_deadline, list_interval, .. } = shared.settings;
    let listing = async {
        loop {
            connection.changed().await;
            // Several changes in this time are one.
            tokio::time::sleep(list_interval).await;
            match tokio::time::timeout(start_deadline, list(shared, follower, &connection)).await {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => return problem.message().to_owned(),
                Err(_) => return format!("it did not list its tools within {start_deadline:?} (`start_deadline`)"),
            }
        }
    };
    tokio::select! {
        why = listing => return why,
        () = connection.closed() => {}
    }
    connection.ended().await
}
