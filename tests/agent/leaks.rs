//! Each bundled plugin, used a little and disabled: nothing of it lives on.

use std::collections::BTreeSet;

use nekro_core::{
    event::facts::{SessionClear, SessionCreated},
    testing::{FakeAnswer, Host, HostBuilder},
};
use nekro_plugins::PLUGINS;
use serde_json::{Value, json};

const FEED: &str =
    "<rss version=\"2.0\"><channel><title>Tea</title><item><guid>1</guid><title>Green</title></item></channel></rss>";

/// What is done with a plugin before it is disabled.
enum Use {
    /// A tool is called, which does its work.
    Tool(&'static str, Value),
    /// A tool is called, which fails with this code: the test has no such thing.
    Fails(&'static str, Value, &'static str),
    /// A command is typed.
    Command(&'static str),
}

/// What is done with each. A new plugin has a line here, were it an empty one: then it lives of events alone.
fn uses() -> Vec<(&'static str, Vec<Use>)> {
    use Use::{Command, Fails, Tool};
    vec![
        ("approval", vec![Tool("ask", json!({ "question": "Really?" })), Command("/questions")]),
        ("basic", vec![Tool("now", json!({})), Tool("calculate", json!({ "expression": "6 * 7" })), Command("/calc 2+2")]),
        ("board", vec![Tool("put", json!({ "text": "tea" })), Tool("cards", json!({}))]),
        ("dice", vec![Tool("roll", json!({ "notation": "2d6" })), Command("/roll")]),
        (
            "feeds",
            vec![Tool("subscribe", json!({ "url": "https://example.org/feed" })), Tool("check", json!({})), Command("/feeds")],
        ),
        ("git", vec![Tool("repositories", json!({}))]),
        ("github", vec![Tool("subscribe", json!({ "repository": "ada/tea" })), Tool("subscriptions", json!({}))]),
        ("greeter", vec![]),
        ("guard", vec![Command("/guard dice.roll")]),
        (
            "knowledge",
            vec![
                Tool("ingest", json!({ "file": "data:text/plain,Green%20tea", "name": "tea" })),
                Tool("search", json!({ "query": "tea" })),
            ],
        ),
        ("mcp", vec![Command("/mcp")]),
        ("notes", vec![Tool("save", json!({ "key": "tea", "text": "green" })), Tool("find", json!({ "query": "green" }))]),
        ("persona", vec![Command("/character style short"), Command("/character")]),
        ("report", vec![Tool("daily", json!({})), Command("/report")]),
        ("search", vec![Fails("web", json!({ "query": "tea" }), "not_configured")]),
        ("timer", vec![Tool("remind", json!({ "text": "tea", "when": "in 10 minutes" })), Tool("list", json!({}))]),
        ("transcript", vec![Command("/transcript")]),
        ("weather", vec![Fails("current", json!({ "city": "Berlin" }), "unanswered")]),
        ("web_reader", vec![Tool("read", json!({ "url": "https://example.org/page" }))]),
    ]
}

fn with_answers(builder: HostBuilder) -> Host {
    let feed = || FakeAnswer::bytes("application/rss+xml", FEED);
    builder
        .answer("GET https://example.org/feed", feed())
        .answer("GET https://example.org/feed", feed())
        .answer("GET https://example.org/page", FakeAnswer::bytes("text/html", "<p>Green tea wants seventy degrees.</p>"))
        .start()
}

/// Uses a plugin, and lets it see a conversation.
#[track_caller]
fn put_to_use(host: &Host, plugin: &str, uses: &[Use]) {
    host.emit(SessionCreated { session: "test".into(), channel: "terminal".to_owned(), user: None });
    for one in uses {
        let (what, result) = match one {
            Use::Tool(tool, arguments) | Use::Fails(tool, arguments, _) => {
                (*tool, host.call(&format!("{plugin}.{tool}"), arguments.clone()))
            }
            Use::Command(line) => (*line, host.command(line)),
        };
        match (one, result) {
            (Use::Fails(.., code), Err(error)) if error.code() == *code => {}
            (Use::Tool(..) | Use::Command(_), Ok(_)) => {}
            (_, result) => panic!("`{what}` of `{plugin}`: {result:?}"),
        }
    }
    host.emit(SessionClear { session: "test".into() });
}

#[test]
fn every_bundled_plugin_is_put_to_use_here() {
    let bundled: BTreeSet<_> = PLUGINS.iter().map(|plugin| plugin.id).collect();
    let used: BTreeSet<_> = uses().into_iter().map(|(plugin, _)| plugin).collect();
    assert_eq!(used, bundled, "a plugin of the bundle has a line in `uses`");
}

#[test]
fn a_plugin_that_is_disabled_leaves_nothing_behind() {
    for (plugin, uses) in uses() {
        let decl = PLUGINS.iter().find(|decl| decl.id == plugin).expect("it is bundled");
        let host = with_answers(Host::builder_of(decl));
        put_to_use(&host, plugin, &uses);
        host.run(host.kernel().disable(plugin)).expect("nobody requires it here");
        assert_eq!(host.left_behind(), [""; 0], "{plugin}");
        assert_eq!(host.leaks(), [""; 0], "{plugin}, stopped");
    }
}

#[test]
fn an_agent_whose_plugins_are_disabled_one_by_one_is_as_empty_as_before() {
    let (first, others) = PLUGINS.split_first().expect("there are some");
    let host = with_answers(Host::builder_of(first).with_each(others.iter().copied()));
    for (plugin, uses) in uses() {
        put_to_use(&host, plugin, &uses);
    }
    // Whoever is required comes after those that require it.
    let mut open: Vec<_> = PLUGINS.iter().map(|plugin| plugin.id).collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|plugin| host.run(host.kernel().disable(plugin)).is_err());
        assert!(open.len() < before, "{open:?} require one another");
    }
    assert_eq!(host.left_behind(), [""; 0]);
    // Nobody listens any more, and nothing is there to be called or read.
    let (said, emitted) = (host.sent().len(), host.kernel().status());
    host.emit(SessionCreated { session: "test".into(), channel: "terminal".to_owned(), user: None });
    assert_eq!((host.sent().len(), host.prompt().len()), (said, 0));
    assert!(emitted.iter().all(|status| status.waiting == 0), "{emitted:?}");
    for tool in ["dice.roll", "timer.list", "notes.list"] {
        assert_eq!(host.call(tool, json!({})).expect_err("it is disabled").code(), "unknown_tool", "{tool}");
    }
    // Their tasks and schedules rest where they are kept, for plugins that come back: none is run.
    assert!(host.schedules().iter().all(|schedule| schedule.runs == 0));
}
