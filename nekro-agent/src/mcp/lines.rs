//! The stream to a client: one JSON-RPC message to a line.
//!
//! The SDK has such a transport too. This one answers what it cannot deliver instead of leaving the client to wait, and holds the client to
//! [`Limits`], so that neither a long line nor a flood takes the agent's memory.

use std::{
    borrow::Cow,
    collections::HashSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, GetMeta, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde::Deserialize;
use serde_json::{error::Category, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    task::JoinHandle,
};

use super::Limits;

/// The code of an answer to one request too many. MCP leaves it to the server.
const BUSY: i32 = -32_000;

/// How many bytes are kept for the next line, and set aside for an answer.
const KEPT: usize = 16 * 1024;

/// Messages from a client and to it.
pub(super) struct Lines<R, W> {
    input: BufReader<R>,
    // The beginning of a line, while the rest has not come.
    line: Vec<u8>,
    // The line was too long, and what follows of it is thrown away.
    skipping: bool,
    output: Arc<Output<W>>,
    under_way: Arc<UnderWay>,
    // A refusal that is being written. Kept here because reading may be interrupted at any time, and writing must not be.
    refusing: Option<JoinHandle<()>>,
    // Whether the client has said which protocol it speaks.
    begun: bool,
    limits: Limits,
}

impl<R: AsyncRead + Unpin, W> Lines<R, W> {
    pub(super) fn new(input: R, output: W, limits: Limits) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            skipping: false,
            output: Arc::new(Output(tokio::sync::Mutex::new(output))),
            under_way: Arc::default(),
            refusing: None,
            begun: false,
            limits,
        }
    }

    /// Reads up to the end of the line. What has come is kept when this is interrupted.
    async fn read_line(&mut self) -> io::Result<Line> {
        loop {
            let available = self.input.fill_buf().await?;
            if available.is_empty() {
                // What stands there without an end is no message.
                return Ok(Line::End);
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..newline.unwrap_or(available.len())];
            let (taken, fits) =
                (part.len() + usize::from(newline.is_some()), self.line.len() + part.len() <= self.limits.message_bytes);
            let was_skipping = self.skipping;
            if !was_skipping && fits {
                self.line.extend_from_slice(part);
            }
            self.input.consume(taken);
            self.skipping = (was_skipping || !fits) && newline.is_none();
            if !was_skipping && !fits {
                // Its memory is given back, too.
                self.line = Vec::new();
                return Ok(Line::TooLong);
            }
            if newline.is_some() && !was_skipping {
                return Ok(Line::Whole);
            }
        }
    }

    /// Decides what becomes of a message that was read.
    fn admit(&mut self, message: ClientJsonRpcMessage) -> Result<Option<ClientJsonRpcMessage>, Refused> {
        match &message {
            JsonRpcMessage::Request(request) => {
                let mut under_way = self.under_way.lock();
                if under_way.contains(&request.id) {
                    return Err(Refused::new(ErrorCode::INVALID_REQUEST.0, "a request with this id is under way"));
                }
                let most = self.limits.requests_at_once;
                if under_way.len() >= most {
                    let problem = format!(
                        "{most} requests are under way, which is all that `mcp.requests_at_once` allows: try again later"
                    );
                    return Err(Refused::new(BUSY, problem).about(request.id.clone()));
                }
                under_way.insert(request.id.clone());
                let with_version = request.request.get_meta().protocol_version().is_some();
                self.begun |= with_version || matches!(request.request, ClientRequest::InitializeRequest(_));
            }
            // The SDK hangs up on those who begin with anything but a request.
            _ if !self.begun => return Ok(None),
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    // Nothing will be answered.
                    self.under_way.lock().remove(id);
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        Ok(Some(message))
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "lines".into()
    }

    fn send(&mut self, message: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (output, under_way) = (Arc::clone(&self.output), Arc::clone(&self.under_way));
        async move {
            let answered = match &message {
                JsonRpcMessage::Response(response) => Some(&response.id),
                JsonRpcMessage::Error(error) => error.id.as_ref(),
                JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
            };
            let mut line = Vec::with_capacity(KEPT);
            let written = match serde_json::to_writer(&mut line, &message) {
                Ok(()) => output.write(line).await,
                Err(error) => Err(error.into()),
            };
            // Only now: answers that a client does not fetch count as under way.
            if let Some(id) = answered {
                under_way.lock().remove(id);
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let _ = refusing.await;
                self.refusing = None;
            }
            let read = match self.read_line().await {
                Ok(Line::End) => return None,
                Ok(Line::TooLong) => {
                    let most = self.limits.message_bytes;
                    Err(Refused::new(
                        ErrorCode::INVALID_REQUEST.0,
                        format!("the message has more than {most} bytes (`mcp.message_bytes`)"),
                    ))
                }
                Ok(Line::Whole) => {
                    let line = self.line.trim_ascii();
                    let message = (!line.is_empty()).then(|| read(line));
                    self.line.clear();
                    self.line.shrink_to(KEPT);
                    match message {
                        Some(message) => message.and_then(|message| self.admit(message)),
                        None => continue,
                    }
                }
                Err(error) => {
                    tracing::error!("the client's messages cannot be read: {error}");
                    return None;
                }
            };
            match read {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(refused) => {
                    let output = Arc::clone(&self.output);
                    self.refusing = Some(tokio::spawn(async move {
                        // A client that does not listen any more will end the input, too.
                        let _ = output.write(refused.to_line()).await;
                    }));
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.0.lock().await.shutdown().await
    }
}

/// What reading a line led to.
enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a message.
fn read(line: &[u8]) -> Result<ClientJsonRpcMessage, Refused> {
    #[derive(Deserialize)]
    struct Head {
        id: Option<RequestId>,
    }
    serde_json::from_slice(line).map_err(|error| match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Refused::new(ErrorCode::PARSE_ERROR.0, format!("this is not JSON: {error}"))
        }
        Category::Data => {
            let id = serde_json::from_slice::<Head>(line).ok().and_then(|head| head.id);
            Refused { id, ..Refused::new(ErrorCode::INVALID_REQUEST.0, "this is no JSON-RPC message") }
        }
    })
}

/// Why a message is not delivered.
struct Refused {
    // Left out where the request cannot be told, as MCP wants it.
    id: Option<RequestId>,
    code: i32,
    problem: String,
}

impl Refused {
    fn new(code: i32, problem: impl Into<String>) -> Self {
        Self { id: None, code, problem: problem.into() }
    }

    fn about(self, id: RequestId) -> Self {
        Self { id: Some(id), ..self }
    }

    fn to_line(&self) -> Vec<u8> {
        let mut message = json!({ "jsonrpc": "2.0", "error": { "code": self.code, "message": self.problem } });
        if let Some(id) = &self.id {
            message["id"] = id.clone().into_json_value();
        }
        message.to_string().into_bytes()
    }
}

/// Where lines are written to, one after the other.
struct Output<W>(tokio::sync::Mutex<W>);

impl<W: AsyncWrite + Unpin> Output<W> {
    async fn write(&self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        let mut output = self.0.lock().await;
        output.write_all(&line).await?;
        output.flush().await
    }
}

/// The requests that have no answer yet.
#[derive(Default)]
struct UnderWay(Mutex<HashSet<RequestId>>);

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
