//! Attempts to reach what may not be reached. In each, a server with a secret stands where the attempt leads; it must never be asked.

use super::{
    server::{Reply, ok, redirect},
    *,
};

/// A plugin that declares some names, and the very addresses of the secret.
fn attacker(secret: &Server, settings: &HttpSettings, more: &[String]) -> Http {
    let addresses = ["127.0.0.1", "[::1]"].map(|address| format!("{address}:{}", secret.port()));
    let names = ["api.example.org", "*.example.net"];
    let hosts: Vec<_> = names.into_iter().chain(addresses.iter().chain(more).map(String::as_str)).collect();
    http(&hosts, settings, &world())
}

/// The names of the world of every attempt. The server with the secret is at 127.0.0.1.
fn world() -> Arc<Script> {
    Script::of(&[
        "api.example.org 127.0.0.1",
        "local.example.net 127.0.0.1",
        "any.example.net 0.0.0.0",
        "mapped.example.net ::ffff:127.0.0.1",
        "six.example.net ::1",
        "metadata.example.net 169.254.169.254 fd00:ec2::254",
        "private.example.net 10.0.0.1 192.168.0.1 172.16.0.1",
        "nat64.example.net 64:ff9b::7f00:1",
        "tunnel.example.net 2002:7f00:1::",
        "turning.example.org 127.0.0.2",
        "evil.org 127.0.0.1",
        "api.example.org.evil.org 127.0.0.1",
        "localhost 127.0.0.1 ::1",
    ])
}

/// Every way in which a URL itself could lead there, the port of the secret being `PORT`.
const URLS: [(&str, &str); 79] = [
    // Addresses, as they are and in disguise.
    ("http://127.0.0.1/", "out_of_scope"),
    ("http://127.0.0.1:PORT/", "forbidden_address"),
    ("http://[::1]:PORT/", "forbidden_address"),
    ("http://2130706433:PORT/", "forbidden_address"),
    ("http://0x7f000001:PORT/", "forbidden_address"),
    ("http://0x7f.0.0.1:PORT/", "forbidden_address"),
    ("http://0X7F.1:PORT/", "forbidden_address"),
    ("http://017700000001:PORT/", "forbidden_address"),
    ("http://0177.0.0.1:PORT/", "forbidden_address"),
    ("http://0177.0.0.01:PORT/", "forbidden_address"),
    ("http://127.1:PORT/", "forbidden_address"),
    ("http://127.0.1:PORT/", "forbidden_address"),
    ("http://127.0.0.1.:PORT/", "forbidden_address"),
    ("http://127.0.0.0x1:PORT/", "forbidden_address"),
    ("http://%31%32%37.0.0.1:PORT/", "forbidden_address"),
    ("http://127%2e0%2e0%2e1:PORT/", "forbidden_address"),
    ("http://127。0。0。1:PORT/", "forbidden_address"),
    ("http://127.0.0.1:PORT/", "forbidden_address"),
    ("http://①②⑦.⓪.⓪.①:PORT/", "forbidden_address"),
    ("http://[0:0:0:0:0:0:0:1]:PORT/", "forbidden_address"),
    ("http://[0000::0001]:PORT/", "forbidden_address"),
    ("http://[::0:1]:PORT/", "forbidden_address"),
    ("http://[::ffff:127.0.0.1]/", "out_of_scope"),
    ("http://[::ffff:7f00:1]/", "out_of_scope"),
    ("http://[0:0:0:0:0:ffff:127.0.0.1]/", "out_of_scope"),
    ("http://[::127.0.0.1]/", "out_of_scope"),
    ("http://[64:ff9b::7f00:1]/", "out_of_scope"),
    ("http://[2002:7f00:1::]/", "out_of_scope"),
    ("http://[::]/", "out_of_scope"),
    ("http://[fe80::1]/", "out_of_scope"),
    ("http://[fe80::1%25eth0]/", "bad_request"),
    ("http://[::1%25lo]/", "bad_request"),
    ("http://[::1/", "bad_request"),
    ("http://::1/", "bad_request"),
    ("http://0.0.0.0/", "out_of_scope"),
    ("http://0/", "out_of_scope"),
    ("http://127.0.0.2/", "out_of_scope"),
    ("http://169.254.169.254/latest/meta-data/", "out_of_scope"),
    ("http://2852039166/", "out_of_scope"),
    ("http://0xa9fea9fe/", "out_of_scope"),
    ("http://10.0.0.1/", "out_of_scope"),
    ("http://192.168.0.1/", "out_of_scope"),
    ("http://[fd00:ec2::254]/", "out_of_scope"),
    ("http://256.256.256.256/", "bad_request"),
    ("http://127.0.0.1.1/", "bad_request"),
    // A name that is declared, or only looks like it.
    ("http://localhost/", "out_of_scope"),
    ("http://LOCALHOST./", "out_of_scope"),
    ("http://evil.org/", "out_of_scope"),
    ("http://api.example.org.evil.org/", "out_of_scope"),
    ("http://evilapi.example.org/", "out_of_scope"),
    ("http://x.api.example.org/", "out_of_scope"),
    ("http://example.org/", "out_of_scope"),
    ("http://example.net/", "out_of_scope"),
    ("http://xexample.net/", "out_of_scope"),
    ("http://.example.net/", "out_of_scope"),
    ("http://аpi.example.org/", "out_of_scope"),
    ("http://api.example.org%00.evil.org/", "bad_request"),
    ("http://api.example.org%0d%0aHost:%20evil.org/", "bad_request"),
    ("http://api.example.org..evil.org/", "out_of_scope"),
    // Who is asked, hidden behind who seems to be.
    ("http://api.example.org@127.0.0.1/", "bad_request"),
    ("http://api.example.org:80@127.0.0.1/", "bad_request"),
    ("http://api.example.org%40127.0.0.1/", "bad_request"),
    ("http://evil.org\\@api.example.org/", "out_of_scope"),
    ("http://evil.org#@api.example.org/", "out_of_scope"),
    ("http://evil.org?@api.example.org/", "out_of_scope"),
    ("http:\\\\evil.org\\", "out_of_scope"),
    ("http:evil.org", "out_of_scope"),
    (" \thttp://ev\nil.org/ ", "out_of_scope"),
    // Ports and schemes.
    ("http://api.example.org:PORT/", "out_of_scope"),
    ("https://api.example.org:80/", "out_of_scope"),
    ("http://api.example.org:0/", "bad_request"),
    ("http://api.example.org:65536/", "bad_request"),
    ("ftp://api.example.org/", "bad_request"),
    ("file:///etc/passwd", "bad_request"),
    ("file://api.example.org/etc/passwd", "bad_request"),
    ("gopher://api.example.org/", "bad_request"),
    ("ws://api.example.org/", "bad_request"),
    ("data:text/plain,secret", "bad_request"),
    ("//api.example.org/", "bad_request"),
];

#[tokio::test]
async fn no_url_leads_to_what_may_not_be_reached() {
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let http = attacker(&secret, &settings(&[]), &[]);
    let mut wrong = Vec::new();
    for (url, expected) in URLS {
        let url = url.replace("PORT", &secret.port().to_string());
        match http.get(&url).send().await {
            Ok(answer) => wrong.push(format!("{url}: {}", answer.status())),
            Err(error) if error.code() != expected => wrong.push(format!("{url}: {} {error}", error.code())),
            Err(_) => {}
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(secret.requests(), [""; 0]);
}

#[tokio::test]
async fn no_name_leads_to_what_may_not_be_reached() {
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let declared = format!("*.example.net:{}", secret.port());
    let http = http(&[&declared], &settings(&[]), &world());
    for name in ["local", "any", "mapped", "six", "metadata", "private", "nat64", "tunnel", "LOCAL", "local.example.net.#"] {
        let name = if name.contains('.') { name.to_owned() } else { format!("{name}.example.net") };
        let (name, rest) = name.split_once('#').map_or((name.as_str(), ""), |(name, _)| (name, ""));
        let error = http.get(format!("http://{name}:{}/{rest}", secret.port())).send().await.expect_err(name);
        assert_eq!(error.code(), "forbidden_address", "{name}: {error}");
    }
    assert_eq!(secret.requests(), [""; 0]);
}

/// A redirect from the server at 127.0.0.2, which may be reached, to where nobody may go.
const REDIRECTS: [(&str, &str); 20] = [
    ("http://127.0.0.1/", "out_of_scope"),
    ("http://127.0.0.1:PORT/", "forbidden_address"),
    ("//127.0.0.1:PORT/", "forbidden_address"),
    ("http://2130706433:PORT/", "forbidden_address"),
    ("http://[::ffff:127.0.0.1]:PORT/", "out_of_scope"),
    ("http://[::1]:PORT/", "forbidden_address"),
    ("http://localhost:PORT/", "out_of_scope"),
    ("http://169.254.169.254/", "out_of_scope"),
    ("http://evil.org:PORT/", "out_of_scope"),
    ("http://api.example.org@evil.org/", "bad_request"),
    ("http://api.example.org:PORT@evil.org/", "bad_request"),
    ("\\\\evil.org:PORT/", "out_of_scope"),
    ("/\\evil.org:PORT/", "out_of_scope"),
    ("http:\\/evil.org:PORT/", "out_of_scope"),
    ("file:///etc/passwd", "bad_request"),
    ("ftp://api.example.org/", "bad_request"),
    ("data:text/plain,secret", "bad_request"),
    ("javascript:alert(1)", "bad_request"),
    ("http://[::1", "bad_redirect"),
    ("http://local.example.net:PORT/", "forbidden_address"),
];

#[tokio::test]
async fn no_redirect_leads_to_what_may_not_be_reached() {
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let port = secret.port();
    let turning = Server::start("127.0.0.2", move |request, _| {
        let at: usize = request.split(['/', ' ']).nth(2).and_then(|at| at.parse().ok()).expect("the number of a redirect");
        Reply::Text(redirect(302, &REDIRECTS[at].0.replace("PORT", &port.to_string())))
    })
    .await;
    let declared = [format!("turning.example.org:{}", turning.port()), format!("*.example.net:{port}")];
    let http = attacker(&secret, &settings(&["127.0.0.2"]), &declared);
    for (at, (location, expected)) in REDIRECTS.iter().enumerate() {
        let error = http.get(format!("http://turning.example.org:{}/{at}", turning.port())).send().await.expect_err(location);
        assert_eq!(error.code(), *expected, "{location}: {error}");
    }
    assert_eq!(turning.requests().len(), REDIRECTS.len(), "each was followed once, and no further");
    assert_eq!(secret.requests(), [""; 0]);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let port = secret.port();
    let outside =
        Server::start("127.0.0.2", move |_, _| Reply::Text(redirect(307, &format!("http://api.example.net:{port}/")))).await;
    // Whoever asks twice is told two different things; both ports are declared, so only the address can refuse.
    let script = Script::of(&["api.example.net 127.0.0.2 | 127.0.0.1"]);
    let declared = [format!("*.example.net:{}", outside.port()), format!("*.example.net:{port}")];
    let hosts: Vec<_> = declared.iter().map(String::as_str).collect();
    let http = http(&hosts, &settings(&["127.0.0.2"]), &script);
    let error = http.get(format!("http://api.example.net:{}/", outside.port())).send().await.expect_err("refused");
    assert_eq!((error.code(), outside.requests().len()), ("forbidden_address", 1));
    assert_eq!(secret.requests(), [""; 0]);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_reached_are_tried() {
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let script = Script::of(&["api.example.org 127.0.0.1 ::1 127.0.0.2"]);
    // Nobody listens on this port of the address that may be reached.
    let declared = format!("api.example.org:{}", secret.port());
    let http = http(&[&declared], &HttpSettings { retries: 0, ..settings(&["127.0.0.2"]) }, &script);
    let error = http.get(format!("http://api.example.org:{}/", secret.port())).send().await.expect_err("refused");
    assert_eq!(error.code(), "unreachable", "{error}");
    assert_eq!(secret.requests(), [""; 0]);
}

#[tokio::test]
async fn the_server_is_there_for_whoever_may_reach_it() {
    // What makes the tests above tests: with the operator's leave, the same server answers.
    let secret = Server::saying("127.0.0.1", ok("secret")).await;
    let declared = format!("*.example.net:{}", secret.port());
    let http = http(&[&declared], &settings(&["127.0.0.0/8"]), &world());
    for name in ["local.example.net", "LOCAL.example.net.", "mapped.example.net"] {
        let answer = http.get(format!("http://{name}:{}/", secret.port())).send().await.expect(name);
        assert_eq!(answer.text().expect(name), "secret");
    }
}

#[tokio::test]
async fn headers_that_would_fool_the_connection_are_refused() {
    let server = Server::saying("127.0.0.1", ok("")).await;
    let declared = format!("local.example.net:{}", server.port());
    let http = http(&[&declared], &settings(&["127.0.0.1"]), &world());
    for (name, value) in [
        ("Host", "evil.org"),
        ("host", "evil.org"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Proxy-Authorization", "x"),
        ("Upgrade", "h2c"),
        ("x", "a\r\nHost: evil.org"),
        ("x\r\nHost: evil.org", "a"),
        ("x y", "a"),
        ("", "a"),
    ] {
        let request = http.get(format!("http://local.example.net:{}/", server.port())).header(name, value);
        assert_eq!(request.send().await.expect_err(name).code(), "bad_request", "{name}: {value}");
    }
    assert_eq!(server.requests(), [""; 0]);
}
