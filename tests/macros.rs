//! What the attributes say to whoever makes a mistake, and that their code stands any crate around it.

use nekro_core::{
    Plugin, SessionId,
    event::{Rewrite, facts::SessionCreated},
    testing::Host,
};
use nekro_fixture_strict::{Counted, Counting, Mode, Strict, Summary};
use serde_json::{Value, json};

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

#[test]
fn routes_and_webhooks_work_under_every_lint_too() {
    use nekro_core::kernel::{FoundRoute, Given, RawDelivery};
    let host = Host::builder::<Strict>().config(json!({ "key": "s3cret" })).start();
    let kernel = host.kernel();
    let found = kernel.find_route("strict", "POST", &["count", "5"]);
    let FoundRoute::Route(entry, given) = found else { panic!("{found:?}") };
    assert_eq!((entry.decl.role, entry.path()), (Some(nekro_core::Role::Manager), "/p/strict/count/{type}".to_owned()));
    let given = Given::new(given, [("sink".into(), "Ada".into())], serde_json::Map::new());
    let answer = host.run(kernel.route(entry, given, &nekro_core::Caller::operator())).expect("it counts");
    assert_eq!((answer.status, &*answer.media_type), (201, "application/json"));
    let hook = kernel.webhook("strict", "counted").expect("it runs");
    assert_eq!(kernel.webhook_secret(hook).expect("it is set").expose(), "s3cret");
    host.run(kernel.deliver_webhook(hook, RawDelivery::new("1", None, "9"))).expect("it is handled");
    let error = host.run(kernel.deliver_webhook(hook, RawDelivery::new("2", None, "[]"))).expect_err("no number");
    assert_eq!(error.code(), "invalid_payload");
}

#[test]
fn a_plugin_reads_the_variables_that_it_declares_and_no_others() {
    let host = Host::builder::<Strict>().variable("LANG", "fr_FR.UTF-8").variable("HOME", "/home/ada").start();
    let variable = |name: &str| host.call_as::<Option<String>>("variable", json!({ "name": name }));
    assert_eq!(variable("LANG").expect("it is declared").as_deref(), Some("fr_FR.UTF-8"));
    assert_eq!(variable("EDITOR").expect("it is declared"), None, "those of the machine are not there");
    let error = variable("HOME").expect_err("it is not declared");
    assert_eq!(error.code(), "out_of_scope");
    assert_eq!(error.message(), "the plugin `strict` does not declare the environment variable `HOME`");
    assert_eq!(error.hint(), Some("its author adds \"HOME\" to `env` in `#[plugin(env = […])]`"));
}

#[test]
fn the_manifest_says_how_far_a_capability_reaches() {
    let registry = nekro_core::kernel::Registry::linked().expect("it fits together");
    let manifest = serde_json::to_value(registry.manifest().plugin(Strict::DECL.id)).expect("plain data");
    let capabilities = manifest["capabilities"].as_array().expect("a list");
    let scope = |name: &str| capabilities.iter().find(|one| one["name"] == name).map(|one| one["scope"].clone());
    assert_eq!(scope("env"), Some(json!(["EDITOR", "LANG"])));
    assert_eq!(scope("events"), Some(Value::Null), "it has no bounds to declare");
}
