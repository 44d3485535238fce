//! What `nekro serve` promises beside its answers: limits that name themselves, a plugin's settings and logs, and an end that finishes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

use serde_json::{Value, json};

use crate::serve::Server;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let server = Server::start("[serve]\nrate = '3/1h'\n");
    let answers: Vec<_> = (0..4).map(|_| server.ask("GET", "/api/tools", &Value::Null)).collect();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 200, 429]);
    let refused = &answers[3];
    assert!(refused.head.contains("retry-after: ") && refused.body.contains("`serve.rate`"), "{refused:?}");
    let stranger = server.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(stranger.status, 200, "others are counted apart");
}

#[test]
fn there_are_no_more_streams_than_there_may_be() {
    let server = Server::start("[serve]\nstreams = 1\n");
    let mut first = server.connect();
    let request = format!("GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", server.token);
    first.write_all(request.as_bytes()).expect("it reads");
    let mut lines = BufReader::new(first).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("listening")));
    let second = server.ask("GET", "/api/stream", &Value::Null);
    assert_eq!(second.status, 503);
    assert!(second.body.contains("`serve.streams`") && second.body.contains("\"retryable\":true"), "{second:?}");
}

#[test]
fn no_other_page_is_let_in() {
    let server = Server::start("");
    let asked = server.raw(
        "OPTIONS /api/tools/dice.roll HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n",
    );
    assert!(asked.status >= 400 && !asked.head.contains("access-control-allow"), "{asked:?}");
    let read =
        server.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n");
    assert!(!read.head.contains("access-control-allow"), "its browser keeps the answer from it: {read:?}");
}

#[test]
fn a_plugins_settings_are_shown_with_their_schema_and_hold_at_once() {
    let server = Server::start("[plugins.board]\ntitle = 'Ours'\n");
    let shown = value(&server.ask("GET", "/api/plugins/board/config", &Value::Null).body);
    assert_eq!(shown["schema"]["properties"]["max_cards"]["maximum"], 1_000);
    assert!(shown["settings"].to_string().contains("Ours"), "{shown}");
    let page = || server.ask("GET", "/p/board/", &Value::Null).body;
    assert!(page().contains("Ours"));
    let set = server.ask("PUT", "/api/plugins/board/config/title", &json!({ "value": "Everybody's" }));
    assert_eq!(set.status, 200, "{set:?}");
    assert!(page().contains("Everybody"));
    let wrong = server.ask("PUT", "/api/plugins/board/config/max_cards", &json!({ "value": 0 }));
    assert!(wrong.status == 400 && wrong.body.contains("max_cards"), "{wrong:?}");
    assert_eq!(server.ask("DELETE", "/api/plugins/board/config/title", &Value::Null).status, 200);
    assert!(page().contains("Board"));
    assert_eq!(server.ask("POST", "/p/board/cards", &json!({ "text": "milk" })).status, 201);
    let logs = value(&server.ask("GET", "/api/plugins/board/logs?last=5", &Value::Null).body);
    let last = logs.as_array().and_then(|logs| logs.last()).unwrap_or_else(|| panic!("{logs}"));
    let fields = &last["fields"];
    assert_eq!((&fields["route"], &fields["who"], &fields["status"]), (&json!("put_card"), &json!("operator"), &json!(201)));
    assert!(!logs.to_string().contains("milk"), "what was sent is not written down");
    assert_eq!(server.ask("GET", "/api/plugins/bored/logs", &Value::Null).status, 404);
}

/// A model on a socket that answers when it is told to.
fn slow_model(listener: &TcpListener) -> impl FnOnce() {
    let (mut stream, _) = listener.accept().expect("somebody asks");
    let mut lines = BufReader::new(stream.try_clone().expect("a stream"));
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).expect("a head");
        if let Some(said) = line.to_lowercase().strip_prefix("content-length: ") {
            length = said.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    lines.read_exact(&mut vec![0; length]).expect("a body");
    move || {
        let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": "done all the same" } }] });
        let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
        let body = format!("data: {chunk}\n\ndata: {end}\n\ndata: [DONE]\n\n");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it is awaited");
    }
}

#[cfg(unix)]
#[test]
fn a_turn_comes_to_its_end_after_the_server_was_told_to_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    let mut server =
        Server::start(&format!("[models.slow]\nprovider = 'openai'\nurl = '{url}'\nmodel = 'x'\n[models]\ndefault = 'slow'\n"));
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            server.ask("POST", "/api/sessions/http:operator/messages", &json!({ "text": "take your time", "wait": true }))
        });
        let answer = slow_model(&listener);
        server.tell_to_end();
        while TcpStream::connect(server.address).is_ok() {
            std::thread::yield_now();
        }
        answer();
        let answered = asked.join().expect("it was answered");
        assert!(answered.status == 200 && answered.body.contains("done all the same"), "{answered:?}");
    });
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn people_find_the_pages_of_plugins_that_run_and_of_no_others() {
    let server = Server::start("");
    let listed = |path: &str| value(&server.ask("GET", path, &Value::Null).body);
    let found = |list: &Value, path: &str| {
        list.as_array().expect("a list").iter().find(|entry| entry["path"] == path).map(|entry| entry["title"].clone())
    };
    assert_eq!(found(&listed("/api/navigation"), "/p/board"), Some(json!("Board")));
    assert_eq!(found(&listed("/api/cards"), "/p/board/summary"), Some(json!("Board")));
    let shown = server.place.run(&["plugins", "show", "board"]).good();
    assert!(shown.contains("in the navigation") && shown.contains("a card of the dashboard"), "{shown}");
    assert_eq!(server.ask("POST", "/api/plugins/board/disable", &Value::Null).status, 200);
    assert_eq!(found(&listed("/api/navigation"), "/p/board"), None);
    assert_eq!(found(&listed("/api/cards"), "/p/board/summary"), None);
}

#[test]
fn a_page_names_its_files_and_a_browser_keeps_them() {
    let server = Server::start("");
    let page = server.ask("GET", "/p/board/", &Value::Null);
    assert!(page.head.contains("content-security-policy: default-src 'self'"), "{}", page.head);
    let file = page.body.split('"').find(|part| part.ends_with(".js")).expect("a script of its own");
    let get =
        |headers: &str| server.raw(&format!("GET {file} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n"));
    let script = get("");
    assert!(script.status == 200 && script.head.contains("immutable") && script.body.contains("EventSource"), "{script:?}");
    let mark = script.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a mark");
    let known = get(&format!("If-None-Match: \"other\", W/{mark}\r\n"));
    assert!(known.status == 304 && known.body.is_empty() && known.head.contains(mark), "{known:?}");
    assert_eq!(get("If-None-Match: \"other\"\r\n").status, 200);
    let older = server.ask("GET", "/p/board/files/board-0000000000000000.js", &Value::Null);
    assert_eq!(older.status, 404);
}
