//! Servers over HTTP that mean harm: each goes on for ever, and is let go of at a limit that has a name.

use std::sync::atomic::{AtomicU64, Ordering};

use nekro_core::ServerTool;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    tests::{Notebook, settings, shared},
    *,
};

/// What is said to a request.
#[derive(Clone)]
enum Say {
    Json(Value),
    /// This, then that for ever, and after each so long nothing.
    Flood(String, Vec<u8>, Duration),
    /// That it is elsewhere.
    Elsewhere(String),
    /// That it is not to be had.
    Nothing,
}

/// A server, and how much it could say.
struct Hostile {
    url: String,
    said: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    hung_up: Arc<Notify>,
}

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

impl Hostile {
    /// Shakes hands as a server should; everything else is said as `say` wants it, by the method, or `GET`.
    async fn begin(say: impl Fn(&str, &Value) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it listens"));
        let (said, asked, hung_up) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default(), Arc::<Notify>::default());
        let (say, counts) = (Arc::new(say), (Arc::clone(&said), Arc::clone(&asked), Arc::clone(&hung_up)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&say), counts.clone()));
            }
        });
        Self { url, said, asked, hung_up }
    }

    /// How it is reached. A machine that has much else to do is no reason to lose it.
    fn settings(&self) -> McpServer {
        let long = Duration::from_secs(600);
        McpServer { url: Some(self.url.clone()), message_bytes: 64 * 1024, start_deadline: long, retry_first: long, ..settings() }
    }

    fn said(&self) -> u64 {
        self.said.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut stream: TcpStream,
    say: Arc<impl Fn(&str, &Value) -> Say>,
    (said, asked, hung_up): (Arc<AtomicU64>, Arc<AtomicU64>, Arc<Notify>),
) {
    while let Some((verb, body)) = request(&mut stream).await {
        asked.fetch_add(1, Ordering::Relaxed);
        let method = body["method"].as_str().map_or(verb, str::to_owned);
        let answer = match method.as_str() {
            "notifications/initialized" | "notifications/cancelled" => Say::Nothing,
            _ => say(&method, &body),
        };
        let answer = match answer {
            Say::Json(result) => {
                let text = json!({ "jsonrpc": "2.0", "id": body["id"], "result": result }).to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s";
                format!("{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len())
            }
            Say::Nothing => "HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n"
                .replace("405 No", if method == "GET" { "405 No" } else { "202 Yes" }),
            Say::Elsewhere(url) => format!("HTTP/1.1 307 There\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"),
            Say::Flood(head, piece, pause) => {
                let mut went = stream.write_all(head.as_bytes()).await;
                while went.is_ok() {
                    went = stream.write_all(&piece).await;
                    said.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
                hung_up.notify_one();
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads a request: its verb, and its body, if that is JSON.
async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).and_then(|length| length.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let verb = head.split(' ').next().unwrap_or_default().to_uppercase();
    Some((verb, serde_json::from_slice(&body).unwrap_or_default()))
}

fn hello() -> Say {
    Say::Json(
        json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "x", "version": "1" } }),
    )
}

fn no_tools() -> Say {
    Say::Json(json!({ "tools": [] }))
}

fn flood(head: &str, piece: impl Into<Vec<u8>>) -> Say {
    Say::Flood(head.to_owned(), piece.into(), Duration::ZERO)
}

fn noise() -> String {
    let noise = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    format!("data: {noise}\n\n").repeat(10)
}

/// Says one thing to one method, and what is right to the others.
fn only(at: &'static str, what: Say) -> impl Fn(&str, &Value) -> Say + Send + Sync + 'static {
    move |method, _| match method {
        _ if method == at => what.clone(),
        "initialize" => hello(),
        "tools/list" => no_tools(),
        _ => Say::Nothing,
    }
}

/// Follows a server until it is lost, and returns why.
async fn lost(settings: &McpServer) -> String {
    let notebook = Arc::new(Notebook::default());
    let link = Link::new("test", settings, Arc::clone(&notebook) as _);
    loop {
        if let Some(why) = notebook.lost.lock().expect("nobody panicked").first() {
            let why = why.clone();
            drop(link);
            return why;
        }
        notebook.told.notified().await;
    }
}

#[tokio::test]
async fn many_messages_end_the_connection_wherever_they_come() {
    // Beside what is asked, and as the answer.
    for at in ["GET", "tools/list"] {
        let server = Hostile::begin(only(at, flood(STREAM, noise()))).await;
        assert_eq!(lost(&server.settings()).await, "it sent more than 200 messages in a second (`messages_per_second`)", "{at}");
        server.hung_up.notified().await;
        assert!(server.said() < 64 * 1024 * 1024, "{}", server.said());
    }
}

#[tokio::test]
async fn answers_to_what_was_not_asked_are_counted_too() {
    let answer = json!({ "jsonrpc": "2.0", "id": 4711, "result": { "tools": [] } });
    let server = Hostile::begin(only("GET", flood(STREAM, format!("data: {answer}\n\n").repeat(10)))).await;
    let why = lost(&server.settings()).await;
    assert!(why.contains("`messages_per_second`"), "{why}");
    server.hung_up.notified().await;
}

#[tokio::test]
async fn a_message_without_an_end_is_not_kept() {
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let (own, of_sdk) = ("65536 bytes (`message_bytes`)", "maximum size of 16777216 bytes");
    for (head, piece, limit) in [(STREAM, "data: x".repeat(1_000), own), (json, " ".repeat(10_000), of_sdk)] {
        let server = Hostile::begin(only("tools/list", flood(head, piece))).await;
        let why = lost(&server.settings()).await;
        server.hung_up.notified().await;
        assert!(why.contains("does not list its tools") && why.contains(limit), "{why}");
        assert!(server.said() < 64 * 1024 * 1024, "{}", server.said());
    }
}

#[tokio::test]
async fn headers_without_an_end_are_not_kept() {
    let server = Hostile::begin(only("tools/list", flood("HTTP/1.1 200 OK\r\n", "x-more: and more\r\n".repeat(100)))).await;
    let why = lost(&server.settings()).await;
    assert!(why.contains("it does not list its tools"), "{why}");
    server.hung_up.notified().await;
    assert!(server.said() < 8 * 1024 * 1024, "{}", server.said());
}

#[tokio::test]
async fn an_answer_in_drops_ends_at_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_owned();
    let drip = Say::Flood(head, b" ".to_vec(), Duration::from_millis(10));
    let server = Hostile::begin(only("tools/list", drip.clone())).await;
    let hasty = McpServer { start_deadline: Duration::from_millis(500), ..server.settings() };
    assert_eq!(lost(&hasty).await, "it did not list its tools within 500ms (`start_deadline`)");
    server.hung_up.notified().await;

    let server = Hostile::begin(only("tools/call", drip)).await;
    let shared = shared(McpServer { call_deadline: Duration::from_millis(500), ..server.settings() });
    let connection = Connection::open(&shared.settings).await.expect("it shakes hands");
    list(&shared, &Notebook::default(), &connection).await.expect("a list");
    let error = shared.call("x", Map::new(), &Progress::new(None)).await.expect_err("it never ends");
    assert_eq!((error.code(), error.hint()), ("timeout", Some("the limit is `mcp_servers.test.call_deadline`")));
}

#[tokio::test]
async fn where_a_server_sends_one_nobody_goes() {
    for at in ["initialize", "tools/list", "GET"] {
        let other = Hostile::begin(|method, _| if method == "initialize" { hello() } else { no_tools() }).await;
        let server = Hostile::begin(only(at, Say::Elsewhere(other.url.clone()))).await;
        let connection = Connection::open(&server.settings()).await;
        let listed = match &connection {
            Ok(connection) => connection.list(10).await.map(|(tools, _): (Vec<ServerTool>, bool)| tools.len()),
            Err(_) => Err(unavailable("it is not there")),
        };
        assert_eq!(listed.is_ok(), at == "GET", "{at}");
        assert_eq!(other.asked.load(Ordering::Relaxed), 0, "{at}");
    }
}
