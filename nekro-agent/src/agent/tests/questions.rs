//! Plugins that ask people something, and wait; and that tell the agent something.

use std::{sync::Arc, time::Duration};

use nekro_core::{Caller, Role, UserId, event::facts::TurnOutcome};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::world::{Step, World, usual, world, world_with};
use crate::{
    agent::{
        Fate, Inbound,
        inbound::{Company, From, Received},
    },
    history::MemoryHistory,
};

/// Calls a tool as somebody, and goes on.
fn call(world: &World, tool: &str, arguments: Value, user: Option<&str>) -> JoinHandle<String> {
    let (kernel, tool) = (world.kernel.clone(), tool.to_owned());
    let mut caller = Caller::operator().in_session("s");
    caller.user = user.map(UserId::from);
    tokio::spawn(async move {
        match kernel.call(&tool, &arguments.to_string(), &caller).await {
            Ok(reply) => reply.json,
            Err(error) => format!("{}: {error}", error.code()),
        }
    })
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

async fn says(world: &World, user: &str, text: &str) -> Received {
    let from = From::Person { user: Some(user.into()), role: Role::User };
    let inbound = Inbound { company: Company::Group { mentioned: false }, from, ..Inbound::operator("s", text) };
    world.machine.receive(inbound).await.expect("it is stored")
}

fn fate(received: &Received) -> String {
    match &received.fate {
        Fate::Taken { by } => format!("taken by {by}"),
        Fate::Hidden => "hidden".to_owned(),
        Fate::Unanswered { reason } => format!("unanswered: {reason}"),
        Fate::Answered(_) => "answered".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_message_is_the_answer_and_begins_no_turn() {
    let world = usual().await;
    let asked = call(&world, "probe.ask", json!({}), None);
    a_moment().await;
    assert!(world.machine.is_asked(&"s".into()));
    assert_eq!(fate(&world.receive("Berlin").await), "taken by probe");
    assert_eq!(asked.await.expect("it ends"), r#""Berlin""#);
    assert!(!world.machine.is_asked(&"s".into()) && world.model.asked().is_empty());
    assert_eq!(world.told().await, ["answer: Which city?", "person: Berlin"]);
    world.say("and now?").await;
    assert_eq!(world.model.asked().len(), 1, "the message after it is one like any other");
}

#[tokio::test(start_paused = true)]
async fn what_can_be_answered_is_told_in_words_and_asked_for_again() {
    let world = usual().await;
    let asked = call(&world, "probe.ask_whether", json!({}), None);
    a_moment().await;
    assert_eq!(fate(&world.receive("perhaps").await), "taken by probe");
    a_moment().await;
    assert_eq!(fate(&world.receive("Yes").await), "taken by probe");
    assert_eq!(asked.await.expect("it ends"), r#""yes""#);
    let told = world.told().await;
    assert_eq!(told[0], "answer: Go on? (yes or no)");
    assert_eq!(told[2], "answer: That is none of the answers. Go on? (yes or no)");
}

#[tokio::test(start_paused = true)]
async fn only_the_person_who_is_asked_answers() {
    let world = usual().await;
    let asked = call(&world, "probe.ask", json!({}), Some("ada"));
    a_moment().await;
    assert_eq!(fate(&says(&world, "bob", "Paris").await), "unanswered: it is not for the agent");
    let again = call(&world, "probe.ask", json!({}), Some("ada")).await.expect("it ends");
    assert_eq!(again, "already_asked: a question of the plugin `probe` waits for an answer already");
    let of_bob = call(&world, "probe.ask", json!({}), Some("bob"));
    a_moment().await;
    assert_eq!(fate(&says(&world, "bob", "Rome").await), "taken by probe");
    assert_eq!(fate(&says(&world, "ada", "Berlin").await), "taken by probe");
    assert_eq!((asked.await.expect("it ends"), of_bob.await.expect("it ends")), (r#""Berlin""#.into(), r#""Rome""#.into()));
}

#[tokio::test(start_paused = true)]
async fn a_question_of_a_turn_is_answered_in_the_midst_of_it() {
    let world = usual().await;
    world.model.then([Step::Call(vec![("probe.ask", json!({}))]), Step::Say("Berlin it is.")]);
    let Fate::Answered(ended) = world.receive("book a journey").await.fate else { panic!("it is answered") };
    a_moment().await;
    assert_eq!(fate(&world.receive("Berlin").await), "taken by probe");
    let ended = ended.await.expect("it ends");
    assert_eq!((ended.outcome, ended.answer.as_deref()), (TurnOutcome::Answered, Some("Berlin it is.")));
    assert!(world.told().await.contains(&"probe.ask: Berlin".to_owned()), "{:?}", world.told().await);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let world = usual().await;
    let hasty = call(&world, "probe.ask", json!({ "within": 5 }), None).await.expect("it ends");
    assert_eq!(hasty, "no_answer: nobody answered within 5s");
    let patient = call(&world, "probe.ask", json!({ "within": 86_400 }), None).await.expect("it ends");
    assert_eq!(patient, "no_answer: nobody answered within 300s");
    assert!(!world.machine.is_asked(&"s".into()));
    assert_eq!(fate(&world.receive("Berlin").await), "answered", "too late, and so it is a message");
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_takes_the_question_back() {
    let world = usual().await;
    let asked = call(&world, "probe.ask", json!({}), None);
    a_moment().await;
    assert!(world.machine.stop(&"s".into()) && !world.machine.stop(&"s".into()));
    assert_eq!(asked.await.expect("it ends"), "cancelled: the question was taken back: somebody stopped what was under way");
    // In a turn, the turn ends with it.
    world.model.then([Step::Call(vec![("probe.ask", json!({}))])]);
    let Fate::Answered(ended) = world.receive("book a journey").await.fate else { panic!("it is answered") };
    a_moment().await;
    assert!(world.machine.stop(&"s".into()));
    assert_eq!(ended.await.expect("it ends").outcome, TurnOutcome::Cancelled);
    assert!(!world.machine.is_asked(&"s".into()));
    // A caller that is gone does not wait, either.
    let gone = call(&world, "probe.ask", json!({}), None);
    a_moment().await;
    gone.abort();
    a_moment().await;
    assert!(!world.machine.is_asked(&"s".into()));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_agent_ends_the_question_and_the_next_one_knows_nothing_of_it() {
    let clock = Arc::new(nekro_core::testing::FakeClock::default());
    let history = Arc::new(MemoryHistory::new(clock as _));
    let first = world_with(json!({}), json!({}), Arc::clone(&history)).await;
    let asked = call(&first, "probe.ask", json!({}), None);
    a_moment().await;
    first.machine.stop_all().await;
    assert!(asked.await.expect("it ends").starts_with("cancelled: "));
    let next = world_with(json!({}), json!({}), history).await;
    assert!(!next.machine.is_asked(&"s".into()));
    assert_eq!(fate(&next.receive("Berlin").await), "answered");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_a_plugin_hides_is_no_answer() {
    let world = world(json!({ "answers": { "user_message": [{ "signal": "block_all" }] } }), json!({})).await;
    let asked = call(&world, "probe.ask", json!({}), None);
    a_moment().await;
    assert_eq!(fate(&world.receive("something rude").await), "hidden");
    assert_eq!(fate(&world.receive("Berlin").await), "taken by probe");
    assert_eq!(asked.await.expect("it ends"), r#""Berlin""#);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_about_a_message_cannot_wait_for_the_next_one() {
    let world = usual().await;
    world.say("ask inside").await;
    let asked = call(&world, "probe.asked", json!({}), None).await.expect("it ends");
    assert!(asked.starts_with(r#"["in_decision","in_decision","#), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn the_agent_is_told_something_and_answers_if_it_should() {
    let world = usual().await;
    world.model.then([Step::Say("Good to know.")]);
    let later = call(&world, "probe.push", json!({ "text": "the build is green", "answer": false }), None);
    assert_eq!(later.await.expect("it ends"), r#""it wants no answer""#);
    world.machine.idle().await;
    assert!(world.model.asked().is_empty());
    let now = call(&world, "probe.push", json!({ "text": "the build is red", "answer": true }), None);
    assert_eq!(now.await.expect("it ends"), "null");
    world.machine.idle().await;
    assert_eq!(world.people.heard(), ["Good to know."]);
    assert_eq!(world.told().await, ["notice: the build is green", "notice: the build is red", "answer: Good to know."]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_sent_lies_where_the_model_finds_it() {
    let world = usual().await;
    for _ in 0..2 {
        assert_eq!(call(&world, "probe.send_picture", json!({}), None).await.expect("it ends"), "null");
    }
    assert_eq!(
        world.told().await,
        ["answer: Look:\n[sent/chart.png (image/png, 3 bytes)]", "answer: Look:\n[sent/chart-2.png (image/png, 3 bytes)]"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_plugin_reads_what_was_said_in_pages() {
    let world = usual().await;
    world.model.then([Step::Say("hello")]);
    world.say("hi").await;
    call(&world, "probe.speak", json!({}), None).await.expect("it ends");
    let read = async |before: Value| call(&world, "probe.read", json!({ "before": before }), None).await.expect("it ends");
    assert_eq!(read(Value::Null).await, r#"["3 Plugin { plugin: PluginId(\"probe\") } psst","2 Agent hello"]"#);
    assert_eq!(read(json!(2)).await, r#"["1 Person { user: None } hi"]"#);
}
