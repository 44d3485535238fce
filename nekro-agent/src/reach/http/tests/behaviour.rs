//! What a request does on its way: limits, retries, redirects, keys and the line of audit.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use expect_test::expect;
use nekro_core::{HttpMethod, Multipart, Secret};

use super::{
    server::{Reply, ok, redirect},
    *,
};
use crate::reach::http::{origin::Origin, settings::BoundSecret};

/// One server, called `api.test` and `other.test`, and a plugin that may reach it.
struct World {
    server: Server,
    script: Arc<Script>,
    hosts: Vec<String>,
}

impl World {
    async fn new(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start("127.0.0.1", answer).await;
        let script = Script::of(&["api.test 127.0.0.1", "other.test 127.0.0.1"]);
        let hosts = vec![format!("api.test:{}", server.port()), format!("other.test:{}", server.port())];
        Self { server, script, hosts }
    }

    async fn saying(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(move |_, _| Reply::Text(text.clone())).await
    }

    fn http(&self, settings: &HttpSettings) -> Http {
        let hosts: Vec<_> = self.hosts.iter().map(String::as_str).collect();
        http(&hosts, settings, &self.script)
    }

    fn url(&self, path: &str) -> String {
        format!("http://api.test:{}{path}", self.server.port())
    }
}

fn allowing() -> HttpSettings {
    settings(&["127.0.0.1"])
}

/// Redirects to the same path on another host, once.
fn to_other(status: u16) -> impl Fn(&str, usize) -> Reply {
    move |request, before| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        Reply::Text(if before == 0 {
            redirect(status, &format!("http://{}/", host.replace("api", "other")))
        } else {
            ok("there")
        })
    }
}

#[tokio::test]
async fn a_request_arrives_as_it_was_put_together() {
    let world = World::saying(ok("[1, 2]")).await;
    let http = world.http(&allowing());
    let request = http.post(world.url("/v1?a=1")).query("city", "São Paulo").header("x-trace", "7").json(&["x"]);
    assert_eq!(request.send().await.expect("an answer").json::<Vec<u8>>().expect("a list"), [1, 2]);
    let request = http.post(world.url("/form")).form([("a", "b c")]);
    request.send().await.expect("an answer");
    let request = http.put(world.url("/file")).multipart(Multipart::new().text("a", "b"));
    request.send().await.expect("an answer");
    let requests = world.server.requests().join("\n").replace('\r', "").replace(&world.server.port().to_string(), "PORT");
    expect![[r#"
        POST /v1?a=1&city=S%C3%A3o%20Paulo HTTP/1.1
        x-trace: 7
        content-type: application/json
        accept: */*
        user-agent: nekro/0.1.0
        host: api.test:PORT
        content-length: 5

        ["x"]
        POST /form HTTP/1.1
        content-type: application/x-www-form-urlencoded
        accept: */*
        user-agent: nekro/0.1.0
        host: api.test:PORT
        content-length: 7

        a=b%20c
        PUT /file HTTP/1.1
        content-type: multipart/form-data; boundary=nekro-boundary-0000000000000000
        accept: */*
        user-agent: nekro/0.1.0
        host: api.test:PORT
        content-length: 119

        --nekro-boundary-0000000000000000
        Content-Disposition: form-data; name="a"

        b
        --nekro-boundary-0000000000000000--
    "#]]
    .assert_eq(&requests);
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let world = World::saying("HTTP/1.1 404 Not Found\r\nX-Why: gone\r\ncontent-length: 4\r\n\r\ngone").await;
    let answer = world.http(&allowing()).get(world.url("/")).send().await.expect("an answer");
    assert_eq!((answer.status(), answer.header("x-why"), answer.bytes()), (404, Some("gone"), &b"gone"[..]));
    assert_eq!(answer.text().expect_err("no success").code(), "http_status");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_by_what_it_says_and_by_what_it_is() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    for text in [ok("0123456789"), chunked.to_owned(), "HTTP/1.1 200 OK\r\n\r\n0123456789".to_owned()] {
        let world = World::saying(text).await;
        for (most, fits) in [(9, false), (10, true)] {
            let http = world.http(&HttpSettings { response_bytes: most, ..allowing() });
            let answer = http.get(world.url("/")).send().await;
            assert_eq!(
                answer.as_ref().map_err(|error| error.hint()).err(),
                (!fits).then_some(Some("the limit is `http.response_bytes`"))
            );
            let answer = world.http(&allowing()).get(world.url("/")).most_bytes(most).send().await;
            assert_eq!(answer.map_err(|error| error.code().to_owned()).err().as_deref(), (!fits).then_some("too_large"));
        }
    }
}

#[tokio::test]
async fn a_head_request_may_announce_more_than_it_brings() {
    let world = World::saying("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
    let http = world.http(&HttpSettings { response_bytes: 10, ..allowing() });
    assert_eq!(http.head(world.url("/")).send().await.expect("an answer").header("content-length"), Some("1000000"));
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let world = World::saying(ok("")).await;
    let http = world.http(&HttpSettings { request_bytes: 3, ..allowing() });
    let error = http.post(world.url("/")).body("text/plain", "1234").send().await.expect_err("too large");
    assert_eq!((error.code(), error.hint()), ("too_large", Some("the limit is `http.request_bytes`")));
    assert_eq!(world.server.requests(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    let world = World::new(|_, _| Reply::Silence).await;
    let error = world.http(&allowing()).get(world.url("/")).send().await.expect_err("too slow");
    assert_eq!((error.code(), error.is_retryable()), ("timeout", true));
    let error = world.http(&allowing()).get(world.url("/")).stream().await.expect_err("too slow");
    assert_eq!(error.code(), "timeout");
}

#[tokio::test]
async fn an_answer_is_read_piece_by_piece() {
    let world = World::saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    let mut stream = world.http(&allowing()).get(world.url("/")).stream().await.expect("an answer");
    let mut read = Vec::new();
    while let Some(piece) = stream.next().await.expect("a piece") {
        assert!(!piece.is_empty());
        read.extend(piece);
    }
    assert_eq!((stream.status(), read), (200, b"abcde".to_vec()));
}

#[tokio::test]
async fn what_does_no_harm_is_tried_again() {
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (method, failures, retries, expected) in [
        (HttpMethod::Get, 2, 2, (200, 3)),
        (HttpMethod::Put, 1, 2, (200, 2)),
        (HttpMethod::Get, 3, 2, (503, 3)),
        (HttpMethod::Get, 1, 0, (503, 1)),
        (HttpMethod::Post, 1, 2, (503, 1)),
        (HttpMethod::Patch, 1, 2, (503, 1)),
    ] {
        let world = World::new(move |_, before| Reply::Text(if before < failures { busy.to_owned() } else { ok("") })).await;
        let http = world.http(&HttpSettings { retries, ..allowing() });
        let answer = http.request(method, world.url("/")).send().await.expect("an answer");
        assert_eq!((answer.status(), world.server.requests().len()), expected, "{method}, {failures} failures");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let world = World::new(|_, before| Reply::Text(if before == 0 { String::new() } else { ok("") })).await;
    let answer = world.http(&allowing()).get(world.url("/")).send().await.expect("an answer");
    assert_eq!((answer.status(), world.server.requests().len()), (200, 2));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_cannot_be_reached_by_https() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Speak plainly\r\n\r\n").await;
        }
    });
    let settings = HttpSettings { retries: 0, ..allowing() };
    let http = http(&[&format!("api.test:{port}")], &settings, &Script::of(&["api.test 127.0.0.1"]));
    let error = http.get(format!("https://api.test:{port}/")).send().await.expect_err("no TLS");
    assert_eq!((error.code(), error.is_retryable()), ("unreachable", true), "{error}");
}

#[tokio::test]
async fn who_asks_to_wait_longer_than_the_deadline_is_not_waited_for() {
    let world = World::saying("HTTP/1.1 429 Slow\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n").await;
    let answer = world.http(&allowing()).get(world.url("/")).send().await.expect("an answer");
    assert_eq!((answer.status(), world.server.requests().len()), (429, 1));
}

#[tokio::test]
async fn a_chain_of_redirects_has_an_end() {
    for (length, redirects, expected) in [
        (3, 3, Ok(200)),
        (4, 3, Err("too_many_redirects")),
        (usize::MAX, 5, Err("too_many_redirects")),
        (1, 0, Err("too_many_redirects")),
    ] {
        let world = World::new(move |_, before| Reply::Text(if before < length { redirect(302, "/next") } else { ok("") })).await;
        let http = world.http(&HttpSettings { redirects, ..allowing() });
        let answer = http.get(world.url("/")).send().await.map(|answer| answer.status());
        assert_eq!(answer.map_err(|error| error.code().to_owned()), expected.map_err(str::to_owned), "{length}");
        assert!(world.server.requests().len() <= redirects as usize + 1);
    }
}

#[tokio::test]
async fn a_redirect_changes_the_method_as_the_standard_says() {
    for (status, method, expected) in [
        (301, HttpMethod::Post, "GET"),
        (302, HttpMethod::Post, "GET"),
        (302, HttpMethod::Put, "PUT"),
        (303, HttpMethod::Put, "GET"),
        (303, HttpMethod::Head, "HEAD"),
        (307, HttpMethod::Post, "POST"),
        (308, HttpMethod::Post, "POST"),
    ] {
        let world = World::new(move |_, before| Reply::Text(if before == 0 { redirect(status, "next") } else { ok("") })).await;
        let http = world.http(&allowing());
        http.request(method, world.url("/v1/first")).body("text/plain", "hi").send().await.expect("an answer");
        let second = world.server.requests().remove(1);
        assert!(second.starts_with(&format!("{expected} /v1/next ")), "{status} {method}: {second}");
        assert_eq!(second.ends_with("hi"), expected == method.as_str(), "{status} {method}: {second}");
    }
}

#[tokio::test]
async fn what_may_be_a_key_does_not_follow_a_redirect_to_another_host() {
    let world = World::new(to_other(307)).await;
    let http = world.http(&allowing());
    let request = http.get(world.url("/")).bearer("t0ken").header("x-api-key", "t0ken").header("accept", "text/plain");
    assert_eq!(request.send().await.expect("an answer").text().expect("text"), "there");
    let requests = world.server.requests();
    assert!(requests[0].contains("authorization: Bearer t0ken") && requests[0].contains("x-api-key: t0ken"));
    assert!(!requests[1].contains("t0ken") && requests[1].contains("accept: text/plain"), "{}", requests[1]);
}

fn bound(origin: &str, plugins: &[&str]) -> HttpSettings {
    let secret = BoundSecret {
        origin: Origin::try_from(origin.to_owned()).expect("an origin"),
        header: "x-api-key".to_owned(),
        prefix: "Key ".to_owned(),
        value: Secret::new("s3cret".to_owned()),
        plugins: plugins.iter().map(|plugin| (*plugin).to_owned()).collect(),
    };
    HttpSettings { secrets: [("example".to_owned(), secret)].into(), ..allowing() }
}

#[tokio::test]
async fn a_key_that_is_bound_to_a_host_goes_there_and_nowhere_else() {
    let world = World::new(to_other(302)).await;
    let port = world.server.port();
    let http = world.http(&bound(&format!("http://api.test:{port}"), &[]));
    let answer = http.get(world.url("/")).header("X-Api-Key", "the plugin's own").send().await.expect("an answer");
    assert_eq!(answer.text().expect("text"), "there");
    let requests = world.server.requests();
    assert!(requests[0].contains("x-api-key: Key s3cret\r\n") && !requests[0].contains("own"), "{}", requests[0]);
    assert!(!requests[1].contains("s3cret"), "{}", requests[1]);
}

#[tokio::test]
async fn a_key_is_added_for_the_plugins_it_is_meant_for_and_for_exactly_its_origin() {
    for (origin, plugins, added) in [
        ("http://api.test:PORT", &["weather"][..], true),
        ("http://api.test:PORT", &["notes"], false),
        ("https://api.test:PORT", &[], false),
        ("http://api.test:1", &[], false),
        ("http://other.test:PORT", &[], false),
        ("http://test:PORT", &[], false),
    ] {
        let world = World::saying(ok("")).await;
        let http = world.http(&bound(&origin.replace("PORT", &world.server.port().to_string()), plugins));
        http.get(world.url("/")).send().await.expect("an answer");
        assert_eq!(world.server.requests()[0].contains("s3cret"), added, "{origin} {plugins:?}");
    }
}

#[tokio::test]
async fn a_redirect_never_leads_from_https_to_http() {
    let scope = nekro_core::HttpScope::of(plugin("weather", &["api.test"]));
    let request = nekro_core::HttpRequest::new(HttpMethod::Get, "https://api.test/");
    let url = "https://api.test/".parse().expect("a URL");
    let hop = crate::reach::http::Hop::first(request, url, scope, &[]).expect("it is declared");
    let error = hop.redirected(302, b"http://api.test/", scope, &[]).expect_err("less safe");
    assert_eq!(error.code(), "bad_redirect");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_has_so_many_requests_at_the_same_time_and_no_more() {
    let world = World::new(|_, _| Reply::Silence).await;
    let http = world.http(&HttpSettings { concurrency: 2, retries: 0, ..allowing() });
    let send = || http.get(world.url("/")).send();
    let (a, b, c) = tokio::join!(send(), send(), send());
    assert!(a.is_err() && b.is_err() && c.is_err());
    assert!(world.server.requests().len() <= 2, "{:?}", world.server.requests());
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nothing panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_request_leaves_one_line_without_secrets() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .finish();
    // For all tests of this program: which lines are wanted is remembered for all threads together.
    tracing::subscriber::set_global_default(subscriber).expect("nobody else did");
    let world = World::new(to_other(302)).await;
    let hosts: Vec<_> = world.hosts.iter().map(String::as_str).collect();
    let egress = Egress::with_lookup(&bound(&world.url(""), &[]), Arc::clone(&world.script) as _);
    let http = Http::new(plugin("audited", &hosts), Arc::new(egress));
    http.get(world.url("/path?key=s3cret")).bearer("s3cret").send().await.expect("an answer");
    http.get("https://evil.org/s3cret").send().await.expect_err("not declared");
    http.get(world.url("/")).most_bytes(2).send().await.expect_err("too large");
    let text = String::from_utf8(log.0.lock().expect("nothing panics").clone()).expect("text");
    // How long it took, is not the same twice.
    let own = text.lines().filter(|line| line.contains("plugin=audited")).map(str::trim);
    let timeless = |line: &str| line.split(' ').filter(|word| !word.starts_with("milliseconds=")).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = own.map(timeless).collect();
    expect![[r#"
         INFO nekro::http: plugin=audited method=GET host=other.test status=200 bytes=5 redirects=1 retries=0
         INFO nekro::http: plugin=audited method=GET host=evil.org status=0 bytes=0 redirects=0 retries=0 problem="out_of_scope"
         INFO nekro::http: plugin=audited method=GET host=api.test status=200 bytes=0 redirects=0 retries=0 problem="too_large""#]].assert_eq(&lines.join("\n"));
    assert!(!text.contains("s3cret"));
}
