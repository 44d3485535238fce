//! Searching the web, with answers as the services give them.

use expect_test::{Expect, expect};
use nekro_core::testing::{FakeAnswer, Host};
use nekro_plugin_search::{Results, Search};
use serde_json::{Value, json};

const BRAVE: &str = "GET https://api.search.brave.com/res/v1/web/search";
const SEARXNG: &str = "GET http://search.local:8080/x/search";

fn answer(recorded: &str) -> FakeAnswer {
    FakeAnswer::bytes("application/json", recorded)
}

fn brave(answer: FakeAnswer) -> Host {
    Host::builder::<Search>().config(json!({ "service": "brave" })).answer(BRAVE, answer).start()
}

fn searxng(answer: FakeAnswer) -> Host {
    let config = json!({ "service": "searxng", "instance": "http://search.local:8080/x", "safe": "off" });
    Host::builder::<Search>().config(config).answer(SEARXNG, answer).start()
}

#[track_caller]
fn found(host: &Host, arguments: Value, asked: Expect, found: Expect) {
    let results: Results = host.call_as("web", arguments).expect("results");
    let lines = results.results.iter().map(|one| {
        let published = one.published.as_deref().map(|date| format!(" ({date})")).unwrap_or_default();
        format!("{} {}: {}{published}", one.url, one.title, one.text)
    });
    found.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
    asked.assert_eq(&host.requests()[0].url);
}

#[test]
fn brave_search_is_asked_and_understood() {
    found(
        &brave(answer(include_str!("recorded/brave.json"))),
        json!({ "query": " green  tea ", "age": "week", "language": "en", "page": 2 }),
        expect![
            "https://api.search.brave.com/res/v1/web/search?q=green%20tea&count=8&offset=1&text_decorations=false&result_filter=web&safesearch=moderate&freshness=pw&search_lang=en"
        ],
        expect![[r#"
            https://en.wikipedia.org/wiki/Green_tea Green tea - Wikipedia: Green tea is a type of tea that is made from the leaves & buds of Camellia sinensis; it hasn't undergone withering. (2026-10-01T08:12:00)
            https://example.org/brewing Brewing: Seventy degrees, two minutes."#]],
    );
}

#[test]
fn a_searxng_instance_is_asked_and_understood() {
    found(
        &searxng(answer(include_str!("recorded/searxng.json"))),
        json!({ "query": "green tea & cake", "limit": 2 }),
        expect!["http://search.local:8080/x/search?q=green%20tea%20%26%20cake&format=json&pageno=1&safesearch=0"],
        expect![[r#"
            https://en.wikipedia.org/wiki/Green_tea Green tea: Green tea is a type of tea.
            https://example.org/brewing Brewing:  (2026-10-01T08:12:00)"#]],
    );
    let one: Results = searxng(answer(include_str!("recorded/searxng.json")))
        .call_as("web", json!({ "query": "tea", "limit": 1 }))
        .expect("results");
    assert_eq!(one.results.len(), 1);
}

#[test]
fn the_plugin_sends_no_key_for_it_has_none() {
    let host = brave(answer(include_str!("recorded/brave.json")));
    host.call("web", json!({ "query": "tea" })).expect("results");
    let names: Vec<_> = host.requests()[0].headers.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["accept"]);
}

#[test]
fn nothing_found_is_an_empty_list() {
    for host in [brave(answer(r#"{"type":"search"}"#)), searxng(answer(r#"{"results":[]}"#))] {
        assert_eq!(host.call_as::<Results>("web", json!({ "query": "tea" })).expect("results").results, []);
    }
}

#[track_caller]
fn refused(host: &Host, arguments: Value, expected: Expect) {
    let error = host.call("web", arguments).expect_err("nothing is found");
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    expected.assert_eq(&format!("{}{}: {error}{hint}", error.code(), if error.is_retryable() { ", retryable" } else { "" }));
}

#[test]
fn what_went_wrong_is_told_to_whoever_can_help() {
    let tea = || json!({ "query": "tea" });
    let with = |config| Host::builder::<Search>().config(config).start();
    refused(
        &with(json!({})),
        tea(),
        expect!["not_configured: no search service is set up (the operator chooses a service in `plugins.search.service`)"],
    );
    refused(
        &with(json!({ "service": "searxng" })),
        tea(),
        expect![
            "not_configured: no search service is set up (the operator says where the SearXNG instance is in `plugins.search.instance`)"
        ],
    );
    refused(
        &brave(FakeAnswer::status(401)),
        tea(),
        expect![[
            r#"http_status: api.search.brave.com answered with the status 401 (the operator binds a key in `[http.secrets]`: origin "https://api.search.brave.com", header "x-subscription-token")"#
        ]],
    );
    refused(
        &brave(FakeAnswer::status(429)),
        tea(),
        expect!["http_status, retryable: api.search.brave.com answered with the status 429"],
    );
    refused(
        &searxng(FakeAnswer::status(403)),
        tea(),
        expect![
            "http_status: search.local:8080 answered with the status 403 (its operator allows `json` under `search.formats` in the instance's settings.yml)"
        ],
    );
    refused(
        &searxng(FakeAnswer::bytes("text/html", "<html>")),
        tea(),
        expect!["not_json: search.local:8080 answered with something unexpected: expected value at line 1 column 1"],
    );
    refused(&brave(FakeAnswer::status(500)), json!({ "query": "  " }), expect!["bad_query: a query has 1 to 400 characters"]);
    refused(
        &brave(FakeAnswer::status(500)),
        json!({ "query": "x".repeat(401) }),
        expect!["bad_query: a query has 1 to 400 characters"],
    );
    refused(
        &brave(FakeAnswer::status(500)),
        json!({ "query": "tea", "language": "en&x=1" }),
        expect![[r#"invalid_arguments: `language`: expected a language, such as "en""#]],
    );
    for instance in ["search.example.org", "ftp://example.org", "https://example.org/?q=x"] {
        let problem = Host::builder::<Search>().config(json!({ "instance": instance })).try_start().expect_err(instance);
        assert!(problem.contains("SearXNG instance"), "{problem}");
    }
}
