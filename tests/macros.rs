//! What the attributes say to whoever makes a mistake, and that their code stands any crate around it.

use nekro_core::{
    SessionId,
    event::{Rewrite, facts::SessionCreated},
    testing::Host,
};
use nekro_fixture_strict::{Counted, Counting, Mode, Strict, Summary};
use serde_json::json;

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}

#[test]
fn a_plugin_under_every_lint_with_everything_shadowed_works() {
    let host = Host::builder::<Strict>().config(json!({ "volume": 7 })).start();
    let prompt = |host: &Host| host.prompt().into_iter().map(|section| section.text).collect::<Vec<_>>();
    assert_eq!(prompt(&host), ["You have counted to 7."]);

    let summary: Summary = host.call_as("count", json!({ "sink": "Ada", "match": "down", "exactly": 0.5 })).expect("a summary");
    assert_eq!(summary.text, "counted at strict for Ada (Some(0.5), 7)");
    assert!(matches!(summary.mode, Mode::Down));
    assert_eq!(host.emitted::<Counted>().iter().map(|counted| counted.total).collect::<Vec<_>>(), [3]);
    assert_eq!(prompt(&host), ["You have counted to 3."]);

    let error = host.call("count", json!({ "call": 101, "exactly": 1.0 })).expect_err("out of range");
    assert_eq!(error.code(), "invalid_arguments");

    let place = json!({ "name": "home", "mode": "down" });
    let summary: Summary = host.call_as("count", json!({ "type": place, "text": "seen" })).expect("a summary");
    assert_eq!(summary.text, "seen at home for all (None, 3)");

    assert_eq!(host.call("run", json!({})).expect("a number").note.as_deref(), Some("a number was chosen"));
    assert!(host.call("sink", json!({})).is_err(), "its own guard denies what is destructive");
    assert_eq!(host.command("/r ab 3").expect("a repetition").to_text(), "strict: ababab");

    let created = SessionCreated { session: SessionId::new("test"), channel: "terminal".to_owned(), user: None };
    host.emit(created);
    assert_eq!(host.sent(), ["strict greets terminal"]);
    let decided = host.decide(Counting::new(SessionId::new("test"), "sheep".to_owned()));
    assert_eq!((decided.verdict, decided.event.r#type.as_str()), (Rewrite::to("SHEEP"), "SHEEP"));
}
