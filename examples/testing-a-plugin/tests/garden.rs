//! Everything that a test can do to a plugin.
//!
//! A test runs the real kernel with fake ports: a store in memory, an outbox for messages, a clock that stands still, a person who says
//! yes or no. Nothing waits and nothing reaches the network. `nekro_core::testing` needs the feature `testing`, in `[dev-dependencies]`.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    Caller, Clock, ClockPort, MessageId, Origin, Role,
    prelude::*,
    testing::{FakeClock, Host},
};
use serde_json::json;
use testing_a_plugin::{Garden, Watered};

#[test]
fn a_tool_is_called_with_json_as_the_model_calls_it() {
    let host = Host::of::<Garden>();
    // What a tool returned, as it goes over the wire, and as a person reads it.
    let reply = host.call("water", json!({ "bed": "roses", "litres": 3 })).expect("water");
    assert_eq!(reply.json, r#"{"bed":"roses","litres":3}"#);
    // Or read back into its type. What the plugin stored is still there: it is the same host.
    let watered: Watered = host.call_as("water", json!({ "bed": "roses" })).expect("water");
    assert_eq!(watered, Watered { bed: "roses".into(), litres: 4 });
}

#[test]
fn wrong_arguments_never_reach_the_function() {
    let host = Host::of::<Garden>();
    // Every mistake is told at once, with its place.
    let error = host.call("water", json!({ "litres": 300, "bde": "roses" })).expect_err("wrong arguments");
    assert_eq!(error.code(), "invalid_arguments");
    assert!(error.message().contains("did you mean `bed`?") && error.message().contains("`litres`"), "{error}");
    // A model may also write what is no JSON at all.
    assert_eq!(host.call_json("water", "{\"bed\": ").expect_err("no JSON").code(), "invalid_arguments");
}

#[test]
fn an_error_has_a_code_and_says_what_to_do() {
    // The configuration is what an operator would write under `[plugins.garden]`.
    let host = Host::builder::<Garden>().config(json!({ "most": 2 })).start();
    let error = host.call("water", json!({ "bed": "roses", "litres": 3 })).expect_err("too much");
    assert_eq!((error.code(), error.hint()), ("too_much", Some("give it 2 litres at most")));
}

#[test]
fn a_configuration_is_refused_with_the_key() {
    let error = Host::builder::<Garden>().config(json!({ "mots": 2 })).try_start().expect_err("an unknown key");
    assert!(error.contains("did you mean `most`?"), "{error}");
}

#[test]
fn an_event_is_told_and_handled_before_the_test_goes_on() {
    let host = Host::of::<Garden>();
    let said =
        |text: &str| MessageReceived { session: "test".into(), message: MessageId::from("1"), user: None, text: text.into() };
    host.emit(said("What a garden!"));
    host.emit(said("What a house!"));
    assert_eq!(host.sent(), ["The garden thanks you."]);
    // Facts that anybody emitted are kept, so that a test can look at them.
    assert_eq!(host.emitted::<MessageReceived>().len(), 2);
}

#[test]
fn a_decision_is_asked_like_the_agent_asks_it() {
    let host = Host::of::<Garden>();
    let decide = |text: &str| {
        let event = UserMessage { session: "test".into(), message: MessageId::from("1"), user: None, text: text.into() };
        host.decide(event).verdict.signal
    };
    assert_eq!(decide("shh, the hedgehog sleeps"), Signal::BlockTrigger);
    assert_eq!(decide("good morning"), Signal::Continue);
}

#[test]
fn a_person_approves_or_does_not() {
    let host = Host::of::<Garden>();
    host.call("water", json!({ "bed": "roses" })).expect("water");
    // At first, the person says no.
    let error = host.call("dig_up", json!({ "bed": "roses" })).expect_err("not approved");
    assert_eq!(error.code(), "denied");
    host.approve(true);
    assert!(host.call_as::<bool>("dig_up", json!({ "bed": "roses" })).expect("approved"));
    // Both times, the person was told why.
    let reasons: Vec<_> = host.emitted::<ApprovalRequired>().into_iter().map(|event| event.reason).collect();
    assert_eq!(reasons, ["it took years to grow"; 2]);
}

#[test]
fn time_passes_when_nothing_else_is_left_to_do() {
    let host = Host::of::<Garden>();
    // This returns at once, although the tool waits for an hour.
    let told = host.call("watch", json!({ "minutes": 60 })).expect("the time").to_text();
    assert_eq!(told, "it is 2030-01-01T12:00:00Z");
    // The time of day stands still until it is moved.
    host.advance(Duration::from_secs(90));
    let told = host.call("watch", json!({ "minutes": 1 })).expect("the time").to_text();
    assert_eq!(told, "it is 2030-01-01T12:01:30Z");
    // And a call that takes longer than it may is ended.
    assert_eq!(host.call("watch", json!({ "minutes": 180 })).expect_err("too long").code(), "deadline");
}

#[test]
fn it_matters_who_asks() {
    let mut host = Host::of::<Garden>();
    host.call("water", json!({ "bed": "roses" })).expect("water");
    host.act_as(Caller::new(Origin::Model, Role::User).in_session("another"));
    // The garden's store belongs to the plugin as a whole, so everybody waters the same roses.
    let watered: Watered = host.call_as("water", json!({ "bed": "roses" })).expect("water");
    assert_eq!(watered.litres, 2);
}

#[test]
fn a_port_can_be_replaced_by_a_fake_of_ones_own() {
    let clock = Arc::new(FakeClock::default());
    let host = Host::builder::<Garden>().port::<dyn ClockPort>(Arc::clone(&clock) as _).start();
    clock.advance(Duration::from_secs(1));
    let told = host.call("watch", json!({ "minutes": 1 })).expect("the time").to_text();
    assert_eq!(told, format!("it is {}", Clock::new(clock).now()));
}

#[test]
fn a_channel_may_have_another_configuration_or_nothing_of_the_plugin() {
    // Of a session `mail:7`, the channel is `mail`.
    let mut host = Host::builder::<Garden>().config_in("mail", json!({ "most": 2 })).off_in("telegram").start();
    let water = json!({ "bed": "roses", "litres": 3 });
    assert!(host.call("water", water.clone()).is_ok());
    host.act_as(Caller::operator().in_session("mail:7"));
    assert_eq!(host.call("water", water.clone()).expect_err("too much").code(), "too_much");
    host.act_as(Caller::operator().in_session("telegram:7"));
    assert_eq!(host.call("water", water).expect_err("it is off").code(), "unknown_tool");
}
