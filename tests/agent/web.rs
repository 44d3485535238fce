//! Plugins that reach other machines, with a server on a socket of this one.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::mpsc,
};

use serde_json::{Value, json};

use crate::support::Place;

/// A server that gives each path an answer, and tells what it was asked.
struct Server {
    port: u16,
    requests: mpsc::Receiver<String>,
}

impl Server {
    fn start(answers: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (told, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
                let request: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                let path = request.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default().to_owned();
                let found = answers.iter().find(|(known, ..)| *known == path);
                let (status, kind, body) =
                    found.map_or(("404 Not Found", "text/plain", ""), |(_, kind, body)| ("200 OK", kind, body));
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                // Whoever does not wait for the end has read enough.
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
                if told.send(request.join("\n")).is_err() {
                    break;
                }
            }
        });
        Self { port, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    fn asked(&self) -> String {
        self.requests.recv_timeout(std::time::Duration::from_secs(30)).expect("somebody asked")
    }
}

/// A place whose agent may reach this machine, with further settings.
fn place(more: &str) -> Place {
    Place::with_settings(&format!("[http]\nallowed_networks = ['127.0.0.0/8', '::1/128']\nretries = 0\n{more}"))
}

fn call(place: &Place, tool: &str, arguments: &Value) -> Value {
    place.run(&["--json", "call", tool, "--args", &arguments.to_string()]).json()["value"].take()
}

#[test]
fn a_page_is_read_over_a_socket_and_a_machine_of_the_operators_only_with_leave() {
    let server = Server::start(&[("/tea", "text/html", "<title>Tea</title><p>Boil the <a href='/water'>water</a>.")]);
    let page = call(&place(""), "web_reader.read", &json!({ "url": server.url("/tea") }));
    assert_eq!((&page["title"], &page["text"]), (&json!("Tea"), &json!(format!("Boil the [water]({}).", server.url("/water")))));
    assert!(server.asked().contains("user-agent: nekro-web-reader/"));
    let refused = Place::new().run(&["call", "web_reader.read", "--url", &server.url("/tea")]).bad(1);
    assert!(refused.contains("not on the public Internet") && refused.contains("http.allowed_networks"), "{refused}");
}

#[test]
fn a_key_is_added_on_the_way_out_and_no_answer_tells_it() {
    let server = Server::start(&[(
        "/search",
        "application/json",
        r#"{"results":[{"title":"Tea","url":"https://example.org/tea","content":"About tea."}]}"#,
    )]);
    let settings = format!(
        "[http.secrets.search]\norigin = '{0}'\nprefix = 'Bearer '\nvalue = 's3cret-key'\nplugins = ['search']\n\
         [plugins.search]\nservice = 'searxng'\ninstance = '{0}'\n",
        server.url("")
    );
    let place = place(&settings);
    let found = call(&place, "search.web", &json!({ "query": "green tea" }));
    assert_eq!(found["results"][0]["url"], "https://example.org/tea");
    let asked = server.asked();
    assert!(asked.contains("authorization: Bearer s3cret-key") && asked.contains("q=green%20tea"), "{asked}");
    let other = call(&place, "web_reader.read", &json!({ "url": server.url("/search") }));
    assert!(!other.to_string().contains("s3cret") && !server.asked().contains("s3cret"), "another plugin has no part in it");
}

#[test]
fn a_feed_is_read_over_a_socket() {
    const FEED: &str =
        "<rss version='2.0'><channel><title>Tea</title><item><guid>1</guid><title>Green</title></item></channel></rss>";
    let server = Server::start(&[("/feed", "application/rss+xml", FEED)]);
    let place = place("");
    let read = call(&place, "feeds.read", &json!({ "url": server.url("/feed") }));
    assert_eq!((&read["title"], &read["entries"][0]["title"]), (&json!("Tea"), &json!("Green")));
    assert!(server.asked().starts_with("GET /feed"));
}

#[test]
fn what_is_taken_in_is_found_by_the_next_process() {
    let place = Place::new();
    let taken = json!({ "file": "data:text/plain,Green%20tea%20wants%20seventy%20degrees.", "name": "tea" });
    assert_eq!(call(&place, "knowledge.ingest", &taken)["places"], 1);
    let found = call(&place, "knowledge.search", &json!({ "query": "how many degrees" }));
    assert_eq!((&found["places"][0]["citation"], &found["lexical"]), (&json!("tea, line 1"), &json!(true)));
    let doctor = place.run(&["doctor"]).out;
    assert!(doctor.contains("lexical: texts are compared by their words alone"), "{doctor}");
}
