//! Reading pages, with answers as servers give them.

use expect_test::{Expect, expect};
use nekro_core::{
    Error,
    testing::{FakeAnswer, Host},
};
use nekro_plugin_web_reader::{Links, Page, WebReader};
use serde_json::{Value, json};

const ARTICLE: &str = include_str!("pages/article.html");

fn host(answer: FakeAnswer) -> Host {
    host_with(answer, json!({}))
}

fn host_with(answer: FakeAnswer, config: Value) -> Host {
    Host::builder::<WebReader>().config(config).answer("GET https://example.org/tea", answer).start()
}

fn html(text: impl Into<Vec<u8>>) -> FakeAnswer {
    FakeAnswer::bytes("text/html; charset=utf-8", text)
}

#[test]
fn a_page_is_its_title_and_its_text() {
    let host = host(html(ARTICLE));
    let page: Page = host.call_as("read", json!({ "url": "example.org/tea" })).expect("a page");
    assert_eq!((page.title.as_str(), page.url.as_str(), page.next), ("How to brew tea", "https://example.org/tea", None));
    assert_eq!((page.author.as_deref(), page.published.as_deref()), (Some("Ada"), Some("2030-01-01")));
    assert!(page.text.contains("[temperature](https://example.org/temperature)"), "{}", page.text);
    assert!(!page.text.contains("Subscribe") && !page.text.contains("tracker"), "{}", page.text);
    let request = &host.requests()[0];
    assert_eq!(request.most_bytes, Some(5_000_000));
    assert!(request.header("user-agent").is_some_and(|name| name.starts_with("nekro-web-reader/")));
    let whole: Page = host.call_as("read", json!({ "url": "example.org/tea", "whole": true })).expect("a page");
    assert!(whole.text.contains("Subscribe") && !whole.text.contains("tracker"), "{}", whole.text);
}

#[test]
fn a_long_page_is_read_in_parts() {
    let host = host_with(html(ARTICLE), json!({ "max_characters": 500 }));
    let (mut from, mut text) = (Some(0), String::new());
    while let Some(at) = from {
        let page: Page = host.call_as("read", json!({ "url": "https://example.org/tea", "from": at })).expect("a page");
        assert!(page.text.chars().count() <= 500);
        text += &page.text;
        from = page.next;
    }
    let whole: Page = self::host(html(ARTICLE)).call_as("read", json!({ "url": "https://example.org/tea" })).expect("a page");
    assert_eq!(text, whole.text);
}

#[test]
fn links_are_listed_and_chosen_by_words() {
    let host = host(html(ARTICLE));
    let all: Links = host.call_as("links", json!({ "url": "https://example.org/tea" })).expect("links");
    let urls: Vec<_> = all.links.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://example.org/",
            "https://example.org/subscribe",
            "https://example.org/temperature",
            "https://example.com/leaves"
        ]
    );
    let some: Links = host.call_as("links", json!({ "url": "https://example.org/tea", "containing": "LEAVES" })).expect("links");
    assert_eq!((some.links.len(), some.more), (1, 0));
    let many: String = (0..250).map(|at| format!("<a href='/{at}'>x</a>")).collect();
    let many: Links = self::host(html(many)).call_as("links", json!({ "url": "https://example.org/tea" })).expect("links");
    assert_eq!((many.links.len(), many.more), (200, 50));
}

#[test]
fn what_is_text_already_is_returned_as_it_is() {
    for (media_type, body, text) in [
        ("text/plain", &b"<b>plain</b>"[..], "<b>plain</b>"),
        ("application/json", b"{\"a\":1}", "{\"a\":1}"),
        ("text/plain; charset=latin1", b"\xe4", "ä"),
    ] {
        let host = host(FakeAnswer::bytes(media_type, body));
        let page: Page = host.call_as("read", json!({ "url": "https://example.org/tea" })).expect("a page");
        assert_eq!(page.text, text, "{media_type}");
    }
}

#[track_caller]
fn refused(answer: FakeAnswer, url: &str, expected: Expect) {
    let error = host(answer).call("read", json!({ "url": url })).expect_err("no page");
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    expected.assert_eq(&format!("{}: {error}{hint}", error.code()));
}

#[test]
fn what_went_wrong_is_told_so_that_one_can_ask_better() {
    let tea = "https://example.org/tea";
    refused(FakeAnswer::status(404), tea, expect!["http_status: example.org answered with the status 404"]);
    refused(FakeAnswer::bytes("image/png", "x"), tea, expect!["not_a_page: what is there is `image/png`, which is no page"]);
    refused(html("<div>".repeat(400)), tea, expect!["too_complex: the page has elements more than 300 deep, and is not read"]);
    refused(
        html(""),
        "file:///etc/passwd",
        expect![[r#"invalid_arguments: `url`: expected the address of a page, such as "https://example.org/news""#]],
    );
    // An address is not a name: the operator's own machines are not reached by it.
    refused(
        html(""),
        "http://127.0.0.1/",
        expect![[
            r#"out_of_scope: the plugin `web_reader` does not declare the host `127.0.0.1` (its author adds "127.0.0.1" to `http` in `#[plugin(http = […])]`)"#
        ]],
    );
    let large = Error::new("example.org answered with more than 5000000 bytes").with_code("too_large");
    refused(
        FakeAnswer::error(&large),
        tea,
        expect![
            "too_large: example.org answered with more than 5000000 bytes (the limits are `plugins.web_reader.max_bytes` and `http.response_bytes`)"
        ],
    );
}
