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
    ClientLifecycleMode, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, ClientRequest, ClientResult, Implementation, ListToolsRequest, PaginatedRequestParams,
        ProtocolVersion, ServerNotification, ServerRequest, ServerResult, SubscriptionFilter, Tool,
    },
    service::{
        ClientInitializeError, NotificationContext, Peer, RequestContext, RunningService, Service, ServiceError,
        serve_client_with_lifecycle,
    },
    transport::{
        Transport,
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
    counted::Counted,
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
    // How long a message may be, where nobody tells that one is too long.
    longest: Option<usize>,
}

/// Why a server is not there, and whether it said so itself: then another protocol may be what it wants.
struct Refused {
    error: Error,
    by_answer: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, by_answer: false }
    }
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
    changed: Arc<Notify>,
    followed: Arc<Followed>,
}

impl Service<RoleClient> for Listener {
    async fn handle_request(&self, request: ServerRequest, _: RequestContext<RoleClient>) -> Result<ClientResult, ErrorData> {
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
        match notification {
            ServerNotification::ToolListChangedNotification(_) => self.changed.notify_one(),
            ServerNotification::ProgressNotification(told) => self.followed.hear(told.params),
            _ => {}
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        // This is for the handshake, which the newest protocol has not.
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("nekro", env!("CARGO_PKG_VERSION")))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }
}

impl Connection {
    /// Starts a server or reaches it, and agrees with it on a protocol: by the handshake, or without, if it refuses that.
    ///
    /// # Errors
    ///
    /// `unavailable`, with what is known of the reason.
    pub(super) async fn open(server: &McpServer) -> Result<Self> {
        match Self::open_by(server, ClientLifecycleMode::Initialize).await {
            Ok(connection) => Ok(connection),
            Err(Refused { error, by_answer: true }) => {
                // What it said to the handshake tells more than what it says now.
                Self::open_by(server, without_handshake()).await.map_err(|_| error)
            }
            Err(Refused { error, .. }) => Err(error),
        }
    }

    async fn open_by(server: &McpServer, lifecycle: ClientLifecycleMode) -> Result<Self, Refused> {
        match (&server.command, &server.url) {
            (Some(command), _) => Self::start(command, server, lifecycle).await,
            (None, Some(url)) => Self::reach(url, server, lifecycle).await,
            (None, None) => Err(unavailable("neither `command` nor `url` is set").into()),
        }
    }

    async fn start(name: &str, server: &McpServer, lifecycle: ClientLifecycleMode) -> Result<Self, Refused> {
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
            return Err(unavailable(format!("`{name}` has no input and output")).into());
        };
        let kept = Arc::default();
        let reading = tokio::spawn(keep_errors(errors, Arc::clone(&kept)));
        let program = Program { child, _group: group, errors: kept, reading };
        Self::over(output, input, server, lifecycle, Some(program)).await
    }

    /// Agrees on a protocol over two streams of lines.
    async fn over<R, W>(
        output: R,
        input: W,
        server: &McpServer,
        lifecycle: ClientLifecycleMode,
        program: Option<Program>,
    ) -> Result<Self, Refused>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let meter = Meter::new(server.messages_per_second);
        let output = Metered::new(output, Arc::clone(&meter), server.message_bytes);
        let transport = AsyncRwTransport::<RoleClient, _, _>::new(output, input).with_max_line_length(usize::MAX);
        Self::agree(transport, (meter, None), lifecycle, program).await
    }

    async fn reach(url: &str, server: &McpServer, lifecycle: ClientLifecycleMode) -> Result<Self, Refused> {
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
        let meter = Meter::new(server.messages_per_second);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        Self::agree(Counted::new(transport, Arc::clone(&meter)), (meter, Some(server.message_bytes)), lifecycle, None).await
    }

    async fn agree<T>(
        transport: T,
        (meter, longest): (Arc<Meter>, Option<usize>),
        lifecycle: ClientLifecycleMode,
        program: Option<Program>,
    ) -> Result<Self, Refused>
    where
        T: Transport<RoleClient> + 'static,
    {
        let changed = Arc::new(Notify::new());
        let has_handshake = lifecycle == ClientLifecycleMode::Initialize;
        let followed = Arc::<Followed>::default();
        let listener = Listener { changed: Arc::clone(&changed), followed: Arc::clone(&followed) };
        match serve_client_with_lifecycle(listener, transport, lifecycle).await {
            Ok(service) => {
                if !has_handshake {
                    // Changes are told to those who listen. It ends with the connection.
                    drop(tokio::spawn(listen(service.peer().clone(), Arc::clone(&changed))));
                }
                Ok(Self { service, meter, changed, followed, program, longest })
            }
            Err(problem) => {
                use ClientInitializeError::{JsonRpcError, NoCompatibleProtocolVersion, TransportError};
                let by_answer = match problem {
                    JsonRpcError(_) | NoCompatibleProtocolVersion { .. } => true,
                    // Over HTTP, an answer that refuses is a failure of the request.
                    TransportError { .. } => program.is_none(),
                    _ => false,
                };
                let by_answer = by_answer && meter.reason().is_none();
                let mut reason = meter.reason().unwrap_or_else(|| format!("the handshake failed: {}", whole(&problem)));
                if let Some(mut program) = program {
                    reason = program.told(reason).await;
                }
                Err(Refused { error: unavailable(reason), by_answer })
            }
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
                Err(problem) => {
                    let problem = || format!("it does not list its tools: {}", self.named(whole(&problem)));
                    return Err(unavailable(self.meter.reason().unwrap_or_else(problem)));
                }
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

    /// Names the limit that a failure may be due to: of a message that is too long, the SDK says only that the connection is closed.
    fn named(&self, problem: String) -> String {
        match self.longest.filter(|_| problem == ServiceError::TransportClosed.to_string()) {
            Some(most) => {
                format!("it closed the connection, or one of its messages has more than {most} bytes (`message_bytes`)")
            }
            None => problem,
        }
    }

    /// Tells why the connection has ended, and lets it go.
    pub(super) async fn ended(self) -> String {
        let closed = || match self.longest {
            Some(_) => self.named(ServiceError::TransportClosed.to_string()),
            None => "it ended the connection".to_owned(),
        };
        let reason = self.meter.reason().unwrap_or_else(closed);
        let Self { service, program, .. } = self;
        drop(service);
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

fn without_handshake() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

/// Hears of changes of the list, for as long as the server tells of them.
async fn listen(peer: Peer<RoleClient>, changed: Arc<Notify>) {
    let wanted = SubscriptionFilter::builder().tools_list_changed().build();
    // One that tells of none has the list that it had at first.
    let Ok(mut subscription) = peer.listen(wanted).await else { return };
    while let Ok(Some(_)) = subscription.next().await {
        changed.notify_one();
    }
}

/// Writes an error down with what is behind it.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
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
            Self::over(output, input, server, ClientLifecycleMode::Initialize, None).await.map_err(|refused| refused.error)
        }
    }
}
