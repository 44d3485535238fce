//! The events are a promise: their names, their sorts, their ids, their forms.

use expect_test::expect;
use nekro_core::{
    event::{Event, Sort, facts::MessageReceived},
    kernel::Registry,
};
use serde_json::Value;

/// The names that the wire keeps, from `PARITY.md` §3, and one of `nekro-core`'s own.
const PROMISED: &[&str] = &[
    "message_received",
    "processing_started",
    "turn_begin",
    "llm_thinking",
    "llm_response_chunk",
    "tool_call_started",
    "tool_executed",
    "final_answer",
    "turn_complete",
    "message_sent",
    "summary_updated",
    "session_created",
    "session_clear",
    "state_transition",
    "llm_usage",
    "llm_retry",
    "llm_fallback",
    "approval_required",
    "approval_resolved",
    "schedule_created",
    "schedule_fired",
    "schedule_cancelled",
    "message_injected",
    "agent_busy_changed",
    "config_changed",
    "offers_changed",
    "shared_file_changed",
];

/// About a plugin and no conversation.
const WITHOUT_SESSION: &[&str] =
    &["config_changed", "offers_changed", "plugin_failed", "plugin_started", "plugin_stopped", "shared_file_changed"];

#[test]
fn every_promised_event_exists_under_its_name() {
    let registry = Registry::linked().expect("the fixtures fit together");
    let missing: Vec<_> = PROMISED.iter().filter(|name| registry.event(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let facts: Vec<_> =
        PROMISED.iter().filter(|name| registry.event(name).is_some_and(|event| event.decl.sort != Sort::Fact)).collect();
    assert!(facts.is_empty(), "{facts:?} have happened");
}

#[test]
fn the_names_and_sorts_of_the_agents_own_events_are_these() {
    let registry = Registry::linked().expect("the fixtures fit together");
    let own = registry.events().iter().filter(|event| event.decl.plugin.is_none());
    let mut listed: Vec<_> = own.map(|event| format!("{:?} {}\n", event.decl.sort, event.name)).collect();
    listed.sort();
    expect![[r#"
        Decision attachment
        Decision builtin_use
        Decision busy_message
        Decision final_answer_draft
        Decision message_intercept
        Decision state_request
        Decision state_summary
        Decision system_message
        Decision tool_call
        Decision tool_result
        Decision turn_context
        Decision turn_starting
        Decision user_message
        Fact agent_busy_changed
        Fact approval_required
        Fact approval_resolved
        Fact config_changed
        Fact final_answer
        Fact llm_fallback
        Fact llm_response_chunk
        Fact llm_retry
        Fact llm_thinking
        Fact llm_usage
        Fact message_injected
        Fact message_received
        Fact message_sent
        Fact offers_changed
        Fact plugin_failed
        Fact plugin_started
        Fact plugin_stopped
        Fact processing_started
        Fact schedule_cancelled
        Fact schedule_created
        Fact schedule_fired
        Fact session_clear
        Fact session_created
        Fact shared_file_changed
        Fact state_transition
        Fact summary_updated
        Fact task_ended
        Fact tool_call_started
        Fact tool_executed
        Fact turn_begin
        Fact turn_complete
    "#]]
    .assert_eq(&listed.concat());
}

#[test]
fn every_event_has_a_description_a_schema_and_the_ids_of_where_it_happened() {
    let registry = Registry::linked().expect("the fixtures fit together");
    for event in registry.events().iter().filter(|event| event.decl.plugin.is_none()) {
        let (name, schema) = (&event.name, event.schema());
        assert!(!event.decl.docs.is_empty(), "{name}");
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], Value::Bool(false), "{name}");
        let properties = schema["properties"].as_object().expect("fields");
        let described = |(field, schema): (&String, &Value)| (schema.get("description").is_none()).then(|| field.clone());
        let silent: Vec<_> = properties.iter().filter_map(described).collect();
        assert!(silent.is_empty(), "{name} does not describe {silent:?}");
        let has = |field: &str| properties.contains_key(field);
        assert_eq!(has("session"), !WITHOUT_SESSION.contains(&name.as_str()), "{name}");
        if name.starts_with("llm_") || name.starts_with("turn_") || name.starts_with("tool_") || name.starts_with("final_") {
            assert!(has("turn"), "{name}");
        }
        if name.starts_with("tool_") || name.starts_with("approval_") {
            assert!(has("call"), "{name}");
        }
        if name.starts_with("message_") && event.decl.sort == Sort::Fact {
            assert!(has("message"), "{name}");
        }
    }
}

#[test]
fn an_event_goes_over_the_wire_and_back() {
    let event = MessageReceived { session: "s".into(), message: "m".into(), user: None, text: "hello".to_owned() };
    let json = serde_json::to_string(&event).expect("plain data");
    expect![[r#"{"session":"s","message":"m","text":"hello"}"#]].assert_eq(&json);
    assert_eq!(serde_json::from_str::<MessageReceived>(&json).expect("its own form"), event);
    serde_json::from_str::<MessageReceived>(r#"{"session":"s","message":"m","text":"","txet":""}"#).expect_err("no such field");
    assert_eq!((event.session().map(|id| id.as_str()), event.turn()), (Some("s"), None));
}

#[test]
fn a_plugins_own_events_carry_its_name() {
    let registry = Registry::linked().expect("the fixtures fit together");
    let names: Vec<_> =
        registry.events().iter().filter(|event| event.decl.plugin.is_some()).map(|event| event.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "alpha.echo",
            "alpha.grenade",
            "alpha.judge",
            "alpha.noted",
            "alpha.poke",
            "alpha.polish",
            "alpha.ponder",
            "alpha.relay"
        ]
    );
}
