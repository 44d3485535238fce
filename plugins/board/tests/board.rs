//! The board as people, programs and the model use it.

use nekro_core::{
    Method, Result,
    kernel::{FoundRoute, Given},
    testing::Host,
    web::{Answer, Body},
};
use nekro_plugin_board::{Board, BoardChanged, BoardPlugin, Card, Column};
use serde_json::{Value, json};

/// Asks for a route, as the host does.
fn ask(host: &Host, method: Method, path: &[&str], body: Value) -> Result<Answer> {
    match host.kernel().find_route("board", method.name(), path) {
        FoundRoute::Route(entry, given) => {
            let given = Given::new(given, [], body.as_object().cloned().unwrap_or_default());
            host.run(host.kernel().route(entry, given, &nekro_core::Caller::operator()))
        }
        other => panic!("{other:?}"),
    }
}

fn json_of(answer: Answer) -> Value {
    match answer.body {
        Body::Whole(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn people_and_the_model_share_the_cards() {
    let host = Host::of::<BoardPlugin>();
    let made = ask(&host, Method::Post, &["cards"], json!({ "text": "milk" })).expect("it is made");
    assert_eq!(made.status, 201);
    assert_eq!(json_of(made), json!({ "id": 1, "text": "milk", "column": "open" }));
    let moved: Card = host.call_as("move", json!({ "id": 1, "column": "done" })).expect("it is there");
    assert_eq!(moved.column, Column::Done);
    let cards = ask(&host, Method::Get, &["cards"], json!({})).expect("it lists");
    assert_eq!(json_of(cards), json!([{ "id": 1, "text": "milk", "column": "done" }]));
    ask(&host, Method::Delete, &["cards", "1"], json!({})).expect("it is there");
    assert_eq!(host.call_as::<Board>("cards", json!({})).expect("it shows").cards, []);
    let changed = BoardChanged { id: 1 };
    assert_eq!(host.emitted::<BoardChanged>(), [changed.clone(), changed.clone(), changed]);
}

#[test]
fn whoever_looks_on_is_told_of_every_change() {
    let host = Host::of::<BoardPlugin>();
    let Body::Events(mut events) = ask(&host, Method::Get, &["events"], json!({})).expect("it streams").body else {
        panic!("no events")
    };
    let mut next = || host.run(events.next()).expect("something comes");
    assert!(next().contains("\"cards\":[]"));
    host.call("put", json!({ "text": "tea" })).expect("there is room");
    assert!(next().contains("\"text\":\"tea\""));
}

#[test]
fn a_request_that_is_wrong_is_told_as_a_call_is() {
    let host = Host::of::<BoardPlugin>();
    let code = |path: &[&str], body| ask(&host, Method::Patch, path, body).expect_err("it is wrong").code().to_owned();
    assert_eq!(code(&["cards", "x"], json!({})), "invalid_arguments");
    assert_eq!(code(&["cards", "1"], json!({ "colour": "red" })), "invalid_arguments");
    assert_eq!(code(&["cards", "1"], json!({ "id": 2 })), "invalid_arguments");
    assert_eq!(code(&["cards", "1"], json!({ "column": "done" })), "not_found");
}

#[test]
fn a_title_cannot_add_to_the_page() {
    let host = Host::builder::<BoardPlugin>().config(json!({ "title": "<script>" })).start();
    let page = ask(&host, Method::Get, &[], json!({})).expect("a page");
    let Body::Whole(bytes) = page.body else { panic!("no page") };
    assert!(String::from_utf8(bytes).expect("text").contains("<h1>&lt;script&gt;</h1>"));
}
