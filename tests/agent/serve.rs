//! `nekro serve`: what a stranger, a page and a program get, over real sockets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::Place;

/// A server that runs, until it is dropped.
pub(crate) struct Server {
    pub(crate) place: Place,
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Server {
    pub(crate) fn start(settings: &str) -> Self {
        let place = Place::with_settings(settings);
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--json"];
        let mut child = place.command(&arguments).stderr(Stdio::inherit()).spawn().expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("it was piped");
        BufReader::new(out).read_line(&mut line).expect("it tells where it listens");
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let address = told["listening"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
        let token = std::fs::read_to_string(place.path().join(".nekro/token")).expect("a token").trim().to_owned();
        Self { address: address.parse().expect("an address"), token, child, place }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        stream
    }

    /// Sends a request, as it is.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("it reads");
        read(stream)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.token, method, path, body)
    }

    pub(crate) fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// Tells it to end.
    #[cfg(unix)]
    pub(crate) fn tell_to_end(&self) {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("it runs");
    }

    #[cfg(unix)]
    pub(crate) fn end(&mut self) -> i32 {
        self.tell_to_end();
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

fn read(mut stream: impl Read) -> Answer {
    let mut text = Vec::new();
    // A connection may be reset after its answer.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_a_token_there_is_little_to_see() {
    let server = Server::start("");
    for (path, status) in
        [("/healthz", 200), ("/readyz", 200), ("/api/docs", 200), ("/api/tools", 401), ("/metrics", 401), ("/mcp", 401)]
    {
        let answer = server.raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(
            answer.head.contains("x-content-type-options: nosniff") && answer.head.contains("content-security-policy:"),
            "{}",
            answer.head
        );
    }
    let nothing = server.ask("GET", "/etc/passwd", &Value::Null);
    assert_eq!(nothing.status, 404);
    assert!(nothing.head.contains("application/problem+json"), "{}", nothing.head);
}

#[test]
fn wrong_tokens_are_counted() {
    let server = Server::start("");
    let ask =
        || server.raw("GET /api/tools HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\nConnection: close\r\n\r\n");
    let statuses: Vec<_> = (0..25).map(|_| ask().status).collect();
    assert!(statuses[..20].iter().all(|status| *status == 401) && statuses[24] == 429, "{statuses:?}");
    assert_eq!(server.ask("GET", "/api/tools", &Value::Null).status, 200, "who has the token is not kept out");
}

#[test]
fn a_request_that_is_none_ends_its_connection_and_nothing_else() {
    let server = Server::start("[serve]\nreceive_deadline = '1s'\nbody_bytes = 100\n");
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    let lines = |lines: usize| {
        format!("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(lines - 2))
    };
    for wrong in [
        "\u{0}\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        &long,
        &lines(101),
    ] {
        let answer = server.raw(wrong);
        assert!((400..500).contains(&answer.status), "{}: {}", answer.status, &wrong[..wrong.len().min(40)]);
    }
    assert_eq!(server.raw(&lines(100)).status, 200);
    let mut stream = server.connect();
    let listening = format!("GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", server.token);
    stream.write_all(listening.as_bytes()).expect("it reads");
    // Who says only half of it is not waited for, and neither is who has been answered and says nothing more.
    assert_eq!(server.raw("GET / HTTP/1.1\r\nHost: local").body, "");
    assert_eq!(server.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    let slow = format!(
        "POST /api/tools/dice.roll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 50\r\n\r\n{{",
        server.token
    );
    assert_eq!(server.raw(&slow).status, 408);
    let big = server.ask("POST", "/api/tools/dice.roll", &json!({ "notation": "1".repeat(200) }));
    assert_eq!(big.status, 413);
    assert!(big.body.contains("serve.body_bytes"), "{}", big.body);
    assert_eq!(server.ask("GET", "/healthz", &Value::Null).status, 200);
    // Who listens has been silent for longer than that, and still hears what happens.
    assert_eq!(server.ask("POST", "/api/tools/dice.roll", &json!({ "notation": "1d1" })).status, 200);
    let heard = BufReader::new(stream).lines().map_while(Result::ok).any(|line| line.contains("dice.roll"));
    assert!(heard, "the stream came to its end");
}

#[test]
fn a_person_reaches_their_own_sessions_only() {
    let server =
        Server::start("[serve.tokens.ada]\ntoken = 'ada has this token'\n[serve.tokens.bob]\ntoken = 'bob has this token'\n");
    let ask = |who: &str, method: &str, path: &str, body: &str| {
        let length = body.len();
        server.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {who} has this token\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    };
    let said = ask("ada", "POST", "/api/sessions/http:ada:diary/messages", r#"{"text":"roll 1d1","wait":true}"#);
    assert_eq!(said.status, 200, "{}", said.body);
    for path in [
        "/api/sessions/http:ada:diary",
        "/api/sessions/http:ada:diary/messages",
        "/api/sessions/http:ada:diary/events",
        "/api/sessions/terminal/events",
    ] {
        assert_eq!(ask("bob", "GET", path, "").status, 404, "{path}");
    }
    assert_eq!(ask("bob", "POST", "/api/tools/dice.roll?session=http:ada:diary", r#"{"notation":"1d1"}"#).status, 404);
    assert!(!ask("bob", "GET", "/api/sessions", "").body.contains("ada"));
    assert!(ask("ada", "GET", "/api/sessions", "").body.contains("http:ada:diary"));
    assert_eq!(ask("ada", "POST", "/api/plugins/dice/disable", "").status, 403);
    assert_eq!(ask("ada", "GET", "/api/stream", "").status, 403);
    assert_eq!(server.ask("GET", "/api/sessions/http:ada:diary", &Value::Null).status, 200, "whoever runs the agent does");
}

#[test]
fn a_plugin_that_is_disabled_is_gone_at_once_and_stays_so() {
    let mut server = Server::start("");
    assert_eq!(server.ask("POST", "/api/plugins/dice/disable", &Value::Null).status, 200);
    let gone = server.ask("POST", "/api/tools/dice.roll", &json!({ "notation": "1d1" }));
    assert_eq!(gone.status, 404, "{}", gone.body);
    assert!(!server.ask("GET", "/api/tools", &Value::Null).body.contains("\"name\":\"dice.roll\""));
    #[cfg(unix)]
    assert_eq!(server.end(), 0);
    let listed = server.place.run(&["plugins", "--json"]).json();
    let dice = listed.as_array().expect("a list").iter().find(|plugin| plugin["id"] == "dice").expect("it is linked");
    assert_eq!(dice["status"]["stage"], "disabled");
}

#[test]
fn listening_where_others_are_needs_auth() {
    let place = Place::with_settings("[serve]\nlisten = '0.0.0.0:0'\nauth = false\n");
    assert!(place.run(&["serve"]).bad(2).contains("`serve.auth` is false"));
    let server = Server::start("[serve]\nauth = false\n");
    assert_eq!(server.raw("GET /api/audit HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status, 200);
}

#[test]
fn the_command_line_asks_a_server() {
    let server = Server::start("");
    let url = format!("http://{}", server.address);
    let run = |arguments: &[&str]| server.place.run(&[&["--server", url.as_str()], arguments].concat());
    assert!(run(&["call", "dice.roll", "--notation", "3d1"]).good().contains("\"total\":3"));
    assert_eq!(run(&["--json", "call", "dice.roll", "2d1"]).json()["value"]["total"], 2);
    assert!(run(&["tools"]).good().contains("dice.roll"));
    assert!(run(&["plugins"]).good().contains("running"));
    assert!(run(&["chat", "--session", "desk", "--once", "roll 4d1"]).good().contains("total: 4"));
    assert!(run(&["sessions"]).good().contains("http:operator:desk"));
    assert!(run(&["emit", "session_clear", "--fields", r#"{"session":"http:operator:desk"}"#]).good().contains("was emitted"));
    assert!(run(&["call", "dice.rol"]).bad(2).contains("did you mean `dice.roll`?"));
    assert!(run(&["doctor"]).bad(2).contains("not carried out by a server"));
    let stranger = Place::new();
    assert!(stranger.run(&["--server", &url, "tools"]).bad(1).contains("NEKRO_TOKEN"));
    assert!(stranger.run(&["--server", "http://127.0.0.1:1", "tools"]).bad(1).contains("cannot be asked"));
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_its_owners_alone_and_goes_with_the_server() {
    use std::os::unix::{fs::PermissionsExt, net::UnixStream};
    let mut server = Server::start("[serve]\nsocket = 'nekro.sock'\n");
    let socket = server.place.path().join("nekro.sock");
    let mode = std::fs::metadata(&socket).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut stream = UnixStream::connect(&socket).expect("it listens");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
    assert_eq!(read(stream).status, 200);
    assert_eq!(server.end(), 0);
    assert!(!socket.exists());
}

#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_end_ends_its_streams() {
    let mut server = Server::start("");
    let mut stream = server.connect();
    let request = format!("GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", server.token);
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.contains("listening") {
        line.clear();
        assert!(reader.read_line(&mut line).expect("it streams") > 0);
    }
    assert_eq!(server.end(), 0);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("it ends");
}
