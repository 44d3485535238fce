//! One connection to a server: its program or its URL, the handshake, and what it says without being asked.

use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{Error, Result, ServerTool};
use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
    redirect::Policy,
};
use rmcp::{
    ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, ClientRequest, ClientResult, Implementation, ListToolsRequest, PaginatedRequestParams,
        ProtocolVersion, ServerNotification, ServerRequest, ServerResult, Tool,
    },
    service::{NotificationContext, Peer, RequestContext, RunningService, Service, serve_client},
    transport::{
        async_rw::AsyncRwTransport,
        streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig},
    },
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    process::{Child, Command},
    sync::Notify,
    task::JoinHandle,
};

use super::{
    McpServer,
    call::Followed,
    meter::{Meter, Metered},
    told,
};
use crate::reach::ProcessGroup;

/// The variables of the agent that a program gets.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ"];

/// How long it may take to reach a URL.
const CONNECT: Duration = Duration::from_secs(15);

/// How many pages a list of tools may have: each may be as long as a message.
const MOST_PAGES: usize = 20;

/// How often a connection is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a program that has closed its output may take to end, and its last words to come.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How much of what a program writes as errors is kept: its end.
const ERRORS_KEPT: usize = 2 * 1024;

/// A server that answers. Dropped, it is gone: its program, too.
pub(super) struct Connection {
    service: RunningService<RoleClient, Listener>,
    pub(super) meter: Arc<Meter>,
    changed: Arc<Notify>,
    followed: Arc<Followed>,
    program: Option<Program>,
}

/// A program that is a server, with all that it starts.
struct Program {
    child: Child,
    // Ends what the program started, when this is dropped.
    _group: ProcessGroup,
    errors: Arc<Mutex<Vec<u8>>>,
    // Reads what it writes as errors, to its end.
    reading: JoinHandle<()>,
}

/// Hears what a server says without being asked. Whatever it asks for is refused: it gets tools called, and nothing of the agent.
pub(super) struct Listener {
    meter: Arc<Meter>,
    changed: Arc<Notify>,
    followed: Arc<Followed>,
    // Lines have been counted already, answers among them.
    counts: bool,
}

impl Service<RoleClient> for Listener {
    async fn handle_request(&self, request: ServerRequest, _: RequestContext<RoleClient>) -> Result<ClientResult, ErrorData> {
        self.count();
        match request {
            ServerRequest::PingRequest(_) => Ok(ClientResult::empty(())),
            _ => Err(ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, "this client only calls tools", None)),
        }
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        self.count();
        match notification {
            ServerNotification::ToolListChangedNotification(_) => self.changed.notify_one(),
            ServerNotification::ProgressNotification(told) => self.followed.hear(told.params),
            _ => {}
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        // The newest protocol has no handshake, and this is one.
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("nekro", env!("CARGO_PKG_VERSION")))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }
}

impl Listener {
    fn new(meter: &Arc<Meter>, changed: &Arc<Notify>, counts: bool) -> (Self, Arc<Followed>) {
        let followed = Arc::<Followed>::default();
        (Self { meter: Arc::clone(meter), changed: Arc::clone(changed), followed: Arc::clone(&followed), counts }, followed)
    }

    fn count(&self) {
        if self.counts {
            self.meter.count();
        }
    }
}

impl Connection {
    /// Starts a server or reaches it, and shakes hands.
    ///
    /// # Errors
    ///
    /// `unavailable`, with what is known of the reason.
    pub(super) async fn open(server: &McpServer) -> Result<Self> {
        match (&server.command, &server.url) {
            (Some(command), _) => Self::start(command, server).await,
            (None, Some(url)) => Self::reach(url, server).await,
            (None, None) => Err(unavailable("neither `command` nor `url` is set")),
        }
    }

    async fn start(name: &str, server: &McpServer) -> Result<Self> {
        let mut command = Command::new(name);
        command.args(&server.args).env_clear();
        command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(server.env.iter().map(|(name, value)| (name, value.expose())));
        if let Some(directory) = &server.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|problem| unavailable(format!("`{name}` cannot be started: {problem}")))?;
        let group = ProcessGroup::of(child.id());
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(unavailable(format!("`{name}` has no input and output")));
        };
        let kept = Arc::default();
        let reading = tokio::spawn(keep_errors(errors, Arc::clone(&kept)));
        let program = Program { child, _group: group, errors: kept, reading };
        Self::over(output, input, server, Some(program)).await
    }

    /// Shakes hands over two streams of lines.
    async fn over<R, W>(output: R, input: W, server: &McpServer, program: Option<Program>) -> Result<Self>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (meter, changed) = (Meter::new(server.messages_per_second), Arc::new(Notify::new()));
        let output = Metered::new(output, Arc::clone(&meter), server.message_bytes);
        let transport = AsyncRwTransport::<RoleClient, _, _>::new(output, input).with_max_line_length(usize::MAX);
        let (listener, followed) = Listener::new(&meter, &changed, false);
        match serve_client(listener, transport).await {
            Ok(service) => Ok(Self { service, meter, changed, followed, program }),
            Err(problem) => {
                let mut reason = meter.reason().unwrap_or_else(|| format!("the handshake failed: {problem}"));
                if let Some(mut program) = program {
                    reason = program.told(reason).await;
                }
                Err(unavailable(reason))
            }
        }
    }

    async fn reach(url: &str, server: &McpServer) -> Result<Self> {
        // Somebody else in this process may have chosen before; any choice will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Where a redirection leads, nobody has named.
        let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT);
        let client = client.user_agent(concat!("nekro/", env!("CARGO_PKG_VERSION"))).build();
        let client = client.map_err(|problem| unavailable(format!("no connection can be prepared: {problem}")))?;
        let mut headers = HashMap::new();
        for (name, value) in &server.headers {
            let problem = || unavailable(format!("the header `{}` cannot be sent", name.escape_debug()));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| problem())?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| problem())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let config = StreamableHttpClientTransportConfig::with_uri(url)
            .max_concurrent_requests(server.calls_at_once)
            .max_sse_event_size(server.message_bytes)
            .custom_headers(headers);
        let (meter, changed) = (Meter::new(server.messages_per_second), Arc::new(Notify::new()));
        let (listener, followed) = Listener::new(&meter, &changed, true);
        match serve_client(listener, StreamableHttpClientTransport::with_client(client, config)).await {
            Ok(service) => Ok(Self { service, meter, changed, followed, program: None }),
            Err(problem) => Err(unavailable(meter.reason().unwrap_or_else(|| format!("the handshake failed: {problem}")))),
        }
    }

    /// Returns what calls are made with.
    pub(super) fn peer(&self) -> Peer<RoleClient> {
        self.service.peer().clone()
    }

    /// Returns the calls whose progress is told.
    pub(super) fn followed(&self) -> Arc<Followed> {
        Arc::clone(&self.followed)
    }

    /// Waits until the server says that its list has changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Lists the tools, up to `most` of them, and tells whether there are more. What is no tool is left off.
    ///
    /// # Errors
    ///
    /// `unavailable`, with what the server says.
    pub(super) async fn list(&self, most: usize) -> Result<(Vec<ServerTool>, bool)> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let mut request = ListToolsRequest::default();
            let page = PaginatedRequestParams::default().with_cursor(cursor.take());
            request.params = Some(page);
            let answer = self.service.peer().send_request(ClientRequest::ListToolsRequest(request)).await;
            let (page, next) = match answer {
                Ok(ServerResult::ListToolsResult(list)) => (list.tools, list.next_cursor),
                // One of them is not as the protocol wants it: the others need not suffer for that.
                Ok(ServerResult::CustomResult(list)) => each(list.0),
                Ok(_) => return Err(unavailable("what it answers to `tools/list` is no list")),
                Err(problem) => return Err(unavailable(format!("it does not list its tools: {problem}"))),
            };
            tools.extend(page.into_iter().map(told::tool));
            if tools.len() > most {
                tools.truncate(most);
                return Ok((tools, true));
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok((tools, false)),
            }
        }
        Ok((tools, true))
    }

    /// Tells why the connection has ended, and lets it go.
    pub(super) async fn ended(self) -> String {
        let Self { service, meter, program, .. } = self;
        drop(service);
        let reason = meter.reason().unwrap_or_else(|| "it ended the connection".to_owned());
        match program {
            Some(mut program) => program.told(reason).await,
            None => reason,
        }
    }

    /// Waits until the connection has ended.
    pub(super) async fn closed(&self) {
        let lost = async {
            // The SDK tells it only to whoever gives the connection away.
            while !self.service.is_closed() && !self.service.peer().is_transport_closed() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            () = lost => {}
            () = self.meter.ended() => {}
        }
    }
}

impl Program {
    /// Adds to a reason what the program said last.
    async fn told(&mut self, reason: String) -> String {
        // It closes its output before it ends.
        let ended = tokio::time::timeout(LAST_WORDS, self.child.wait()).await;
        // What it left running may hold its errors open.
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.reading).await;
        let how = match ended {
            Ok(Ok(status)) => format!("; the program ended ({status})"),
            _ => String::new(),
        };
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&errors);
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let last: String = last.chars().filter(|one| !one.is_control()).take(300).collect();
        let last = if last.is_empty() { last } else { format!(": {last}") };
        format!("{reason}{how}{last}")
    }
}

/// Keeps the end of what a program writes as errors, and reads on, so that it need not wait.
async fn keep_errors(mut from: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 4 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&piece[..read]);
        let over = kept.len().saturating_sub(ERRORS_KEPT);
        kept.drain(..over);
    }
}

/// Reads a list tool by tool.
fn each(list: Value) -> (Vec<Tool>, Option<String>) {
    let next = list.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
    let tools = match list {
        Value::Object(mut list) => list.remove("tools"),
        _ => None,
    };
    let Some(Value::Array(tools)) = tools else { return (Vec::new(), next) };
    let read = tools.into_iter().filter_map(|tool| match serde_json::from_value(tool) {
        Ok(tool) => Some(tool),
        Err(problem) => {
            tracing::warn!("a tool of an MCP server is left off, for it is none: {problem}");
            None
        }
    });
    (read.collect(), next)
}

pub(super) fn unavailable(problem: impl Into<String>) -> Error {
    Error::new(problem).with_code("unavailable").retryable()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    impl Connection {
        /// Shakes hands with a server in this process.
        pub(in crate::mcp::client) async fn with<R, W>(output: R, input: W, server: &McpServer) -> Result<Self>
        where
            R: AsyncRead + Send + Unpin + 'static,
            W: AsyncWrite + Send + Unpin + 'static,
        {
            Self::over(output, input, server, None).await
        }
    }
}
