//! What is different in one channel: another configuration, and plugins that are off there.

use std::collections::BTreeMap;

use nekro_core::{
    Caller, SessionId,
    event::{Approval, decisions::ToolCall, facts::ConfigChanged},
    kernel::Configuration,
};
use nekro_fixture_alpha::events::Poke;
use serde_json::{Value, json};

use crate::world::{World, told, world};

/// Alpha with a word for everywhere, one for `chat`, and one for a single room there.
fn words() -> Configuration {
    Configuration::new(json!({ "word": "base" }))
        .in_channel("chat", json!({ "word": "chat", "nickname": "chatty", "guard": "deny" }))
        .in_channel("chat:1", json!({ "word": "room" }))
}

async fn peek(world: &World, session: &str) -> String {
    let caller = Caller::operator().in_session(session);
    told(world.kernel.call("alpha.peek", "{}", &caller).await)
}

#[tokio::test(start_paused = true)]
async fn a_session_has_the_configuration_of_its_channel_and_the_more_specific_holds() {
    let world = world().configured("alpha", words().in_channel("chat", json!({ "word": "chat" }))).start().await;
    for (session, word) in
        [("chat", "chat"), ("chat:2", "chat"), ("chat:1", "room"), ("chat:1:2", "chat"), ("chats", "base"), ("other", "base")]
    {
        assert_eq!(peek(&world, session).await, format!(r#"["{word}",1,"{word}"]"#), "{session}");
    }
    let nowhere = told(world.kernel.call("alpha.peek", "{}", &Caller::operator()).await);
    assert_eq!(nowhere, r#"["base",1,"base"]"#, "a call outside any conversation");
}

#[tokio::test(start_paused = true)]
async fn prompts_commands_decisions_and_facts_see_the_configuration_of_their_session() {
    let world = world().configured("alpha", words()).start().await;
    for (session, word, who, allowed) in
        [("chat:2", "chat", "chatty", false), ("chat:1", "room", "alpha", true), ("x", "base", "alpha", true)]
    {
        let caller = Caller::operator().in_session(session);
        let sections = world.kernel.prompt(&caller).await;
        assert!(sections.iter().any(|section| section.text == word), "{session}: {sections:?}");
        assert_eq!(told(world.kernel.command("secretly", &[], &caller).await), format!(r#""done{word}""#));
        let verdict = world.kernel.decide(question(session), &caller).await.verdict;
        assert_eq!(matches!(verdict, Approval::Allow), allowed, "{session}: {verdict:?}");
        // Who asks need not be in the conversation that it is about.
        let verdict = world.kernel.decide(question(session), &Caller::host()).await.verdict;
        assert_eq!(matches!(verdict, Approval::Allow), allowed, "{session}: {verdict:?}");
        world.notes();
        world.emit(Poke::new("hello").on(session)).await;
        let notes = world.notes();
        assert!(notes.contains(&format!("{who} {session} hello")), "{notes:?}");
    }
}

fn question(session: &str) -> ToolCall {
    serde_json::from_value(json!({
        "session": session, "call": "c", "tool": "beta.act", "arguments": {}, "effect": {}, "approved": false,
        "caller": { "origin": "person", "role": "user" },
    }))
    .expect("a question")
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_is_off_in_a_channel_is_not_there() {
    let deny = json!({ "guard": "deny", "word": "w" });
    let world = world().alpha(deny).off("chat", "alpha").off("chat:1", "beta").start().await;
    let names = |session: &str| {
        let caller = Caller::operator().in_session(session);
        let tools = world.kernel.tools(&caller).filter(|tool| tool.name() == "alpha.peek" || tool.name() == "beta.act");
        tools.map(|tool| tool.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("x"), ["alpha.peek", "beta.act"]);
    assert_eq!(names("chat"), ["beta.act"]);
    assert_eq!(names("chat:2"), ["beta.act"]);
    assert_eq!(names("chat:1"), ["alpha.peek"], "the more specific holds alone");

    let caller = Caller::operator().in_session("chat");
    let hidden = world.kernel.call("alpha.peek", "{}", &caller).await;
    assert_eq!(told(hidden), "unknown_tool: there is no tool `alpha.peek`");
    assert!(world.kernel.commands(&caller).all(|command| command.decl.name != "secretly"));
    assert!(told(world.kernel.command("secretly", &[], &caller).await).starts_with("unknown_command"));
    assert!(world.kernel.prompt(&caller).await.iter().all(|section| section.plugin != "alpha"));
    // Its guard denies everything where it is on, and is gone on purpose where it is off.
    assert!(told(world.kernel.call("beta.act", "{}", &caller).await).starts_with('"'));
    assert!(told(world.kernel.call("beta.act", "{}", &caller.in_session("x")).await).starts_with("denied"));
    world.notes();
    world.emit(Poke::new("hello").on("chat")).await;
    assert_eq!(world.notes(), ["beta chat hello"]);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_failed_lets_nothing_through_in_any_channel() {
    let world = world().alpha(json!({ "init": "fail" })).off("chat", "beta").start().await;
    for session in ["chat", "x"] {
        let verdict = world.kernel.decide(question(session), &Caller::operator().in_session(session)).await.verdict;
        assert!(matches!(verdict, Approval::Deny { .. }), "{session}: {verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_one_channel_is_read_at_the_start_and_named() {
    let wrong = Configuration::new(json!({})).in_channel("chat", json!({ "wrod": "x" }));
    let world = world().configured("alpha", wrong.clone()).start().await;
    assert_eq!(
        world.stage("alpha"),
        "its configuration is wrong: `wrod`: in the channel `chat`: unknown key: did you mean `word`?"
    );
    let world = crate::world::world().configured("alpha", words()).start().await;
    world.kernel.reconfigure("alpha", wrong).await.expect_err("a wrong configuration");
    assert_eq!(peek(&world, "chat:1").await, r#"["room",1,"room"]"#, "nothing was changed");
}

#[tokio::test(start_paused = true)]
async fn a_reconfiguration_replaces_what_held_in_every_channel() {
    let world = world().configured("alpha", words()).start().await;
    let next = Configuration::new(json!({ "word": "base" })).in_channel("mail", json!({ "word": "mail" }));
    world.kernel.reconfigure("alpha", next).await.expect("a good configuration");
    for (session, word) in [("mail:1", "mail"), ("chat", "base"), ("chat:1", "base")] {
        assert_eq!(peek(&world, session).await, format!(r#"["{word}",1,"{word}"]"#), "{session}");
    }
    assert_eq!(world.recorder.facts::<ConfigChanged>().len(), 1);
    // Also over a restart.
    world.kernel.disable("beta").await.expect("nobody requires it");
    world.kernel.disable("alpha").await.expect("nobody requires it");
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(peek(&world, "mail").await, r#"["mail",2,"mail"]"#);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_is_switched_off_and_on_in_a_channel_while_the_agent_runs() {
    let world = world().configured("alpha", words()).start().await;
    let off = |plugins: Value| -> BTreeMap<_, _> { serde_json::from_value(plugins).expect("names") };
    world.kernel.disable_in(&off(json!({ "mail": ["alpha"] }))).expect("they are linked");
    assert!(peek(&world, "mail:1").await.starts_with("unknown_tool"));
    let error = world.kernel.disable_in(&off(json!({ "mail": [], "chat": ["alhpa"] }))).expect_err("a misspelt name");
    assert_eq!(error.to_string(), "no plugin `alhpa` is linked: did you mean `alpha`?");
    assert!(peek(&world, "mail:1").await.starts_with("unknown_tool"), "nothing was changed");
    // The more specific list holds alone, also one that is empty.
    world.kernel.disable_in(&off(json!({ "mail": ["alpha"], "mail:1": [] }))).expect("they are linked");
    assert_eq!(peek(&world, "mail:1").await, r#"["base",1,"base"]"#);
    assert!(peek(&world, "mail:2").await.starts_with("unknown_tool"));
    world.kernel.disable_in(&off(json!({}))).expect("there is nothing to find");
    assert_eq!(peek(&world, "mail:1").await, r#"["base",1,"base"]"#);
}

#[tokio::test(start_paused = true)]
async fn a_disable_waits_for_calls_in_every_channel() {
    let mut world = world()
        .without("beta")
        .configured("alpha", Configuration::from(json!({})).in_channel("test", json!({ "word": "here" })))
        .start()
        .await;
    world.caller.session = Some(SessionId::from("test:1"));
    let under_way = world.begin("alpha.peek", json!({ "act": { "wait": 1_000 } }), "alpha peek").await;
    world.notes();
    world.kernel.disable("alpha").await.expect("nobody requires it");
    assert_eq!(world.notes(), ["alpha peek waited", "alpha cleanup 1"]);
    assert_eq!(told(under_way.await.expect("it did not panic")), r#"["here",1,"here"]"#);
}

#[test]
fn a_configuration_shows_no_secret() {
    let shown = format!("{:?}", Configuration::new(json!({ "key": "s3cret" })).in_channel("chat", json!({ "key": "s3cret" })));
    assert!(!shown.contains("s3cret") && shown.contains("chat"), "{shown}");
}
