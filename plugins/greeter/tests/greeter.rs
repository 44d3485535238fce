//! The greeter as people meet it.

use nekro_core::{SessionId, UserId, event::facts::SessionCreated, testing::Host};
use nekro_plugin_greeter::Greeter;
use serde_json::{Value, json};

/// Opens a conversation, and returns what is said in it.
#[track_caller]
fn greeted(config: Value, channel: &str, user: Option<&str>) -> Vec<String> {
    let host = Host::builder::<Greeter>().config(config).start();
    let event = SessionCreated { session: SessionId::from("hall"), channel: channel.to_owned(), user: user.map(UserId::from) };
    host.emit(event);
    host.sent()
}

#[track_caller]
fn refused(config: Value, problem: &str) {
    let error = Host::builder::<Greeter>().config(config).try_start().expect_err("a refusal");
    assert!(error.contains(problem), "{error}");
}

#[test]
fn by_default_everybody_is_greeted_in_a_few_words() {
    assert_eq!(greeted(json!({}), "terminal", None), ["Hello! What can I do for you?"]);
}

#[test]
fn the_greeting_names_the_person() {
    let config = json!({ "text": "Welcome, {user}!" });
    assert_eq!(greeted(config.clone(), "terminal", Some("Ada")), ["Welcome, Ada!"]);
    for nobody in [None, Some(" ")] {
        assert_eq!(greeted(config.clone(), "terminal", nobody), ["Welcome, there!"]);
    }
    assert_eq!(greeted(json!({ "text": "Dear {user},", "stranger": "guest" }), "terminal", None), ["Dear guest,"]);
}

#[test]
fn a_name_cannot_say_anything_itself() {
    let config = json!({ "text": "Welcome, {user}!" });
    assert_eq!(greeted(config, "web", Some("Ada\n\n[click](evil:)")), ["Welcome, Ada \\[click\\](evil\\:)!"]);
}

#[test]
fn only_the_channels_that_are_set_are_greeted() {
    let config = json!({ "channels": ["web", "phone"] });
    assert_eq!(greeted(config.clone(), "web", None).len(), 1);
    assert_eq!(greeted(config, "terminal", None).len(), 0);
}

#[test]
fn a_wrong_greeting_is_refused_when_it_is_read() {
    refused(
        json!({ "text": "Hello {name}" }),
        "`text`: there is no placeholder `{name}`: there is `{user}`, and `{{` for a brace",
    );
    refused(json!({ "text": "Hello {user" }), "`text`: the `{` has no partner: write `{{` for a brace");
    refused(json!({ "text": "" }), "`text`: a greeting has to say something; to greet nobody, disable the plugin");
    refused(json!({ "channel": ["web"] }), "`channel`: unknown key: did you mean `channels`?");
}
