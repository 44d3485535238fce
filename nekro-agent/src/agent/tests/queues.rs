//! Messages that wait.

use std::time::Duration;

use nekro_core::event::facts::{ProcessingStarted, TurnBegin, TurnOutcome};
use serde_json::json;

use super::world::{Step, World, usual, world};
use crate::{
    agent::{Fate, inbound::Ended},
    model::Entry,
};

async fn wait(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

async fn answered(world: &World, text: &str) -> tokio::sync::oneshot::Receiver<Ended> {
    match world.receive(text).await.fate {
        Fate::Answered(ended) => ended,
        other => panic!("it is not answered: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_queue_have_a_turn_each_and_are_seen_in_it() {
    let world = world(json!({}), json!({ "during_turn": "queue" })).await;
    world.model.then([Step::After(100, "a"), Step::After(100, "b"), Step::After(100, "c")]);
    let mut all = Vec::new();
    for text in ["one", "two", "three"] {
        all.push(answered(&world, text).await);
        wait(10).await;
    }
    for (ended, answer) in all.into_iter().zip(["a", "b", "c"]) {
        assert_eq!(ended.await.expect("it ends").answer.as_deref(), Some(answer));
    }
    let last: Vec<_> = world.model.asked().into_iter().filter_map(|request| request.entries.last().cloned()).collect();
    let person = |text: &str| Entry::Person { name: None, text: text.into(), images: vec![] };
    assert_eq!(last, [person("one"), person("two"), person("three")], "what is answered stands last");
    assert_eq!(world.model.asked()[0].entries.len(), 1, "what waits is not seen before");
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_in_quick_succession_are_answered_together() {
    let world = world(json!({}), json!({ "debounce": "500ms" })).await;
    let first = answered(&world, "one").await;
    wait(300).await;
    let second = answered(&world, "two").await;
    wait(300).await;
    assert!(world.model.asked().is_empty());
    assert_eq!(first.await.expect("it ends"), second.await.expect("it ends"));
    assert_eq!((world.facts::<TurnBegin>().len(), world.facts::<ProcessingStarted>().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_turn_and_empties_the_queue_and_keeps_what_was_said() {
    let world = world(json!({}), json!({ "during_turn": "queue" })).await;
    world.model.then([Step::Hang("I was about to")]);
    let first = answered(&world, "one").await;
    wait(10).await;
    let second = answered(&world, "two").await;
    assert!(world.machine.stop(&"s".into()));
    assert_eq!(second.await.expect("told").outcome, TurnOutcome::Cancelled);
    assert_eq!(first.await.expect("told").outcome, TurnOutcome::Cancelled);
    world.machine.idle().await;
    assert_eq!(world.told().await, ["person: one", "person: two", "answer: I was about to [stopped]"]);
    assert!(!world.machine.stop(&"s".into()), "there is nothing left");
    assert_eq!(world.say("three").await.outcome, TurnOutcome::Answered, "it goes on");
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_place_in_the_queue_is_kept_and_seen() {
    let world = world(json!({}), json!({ "during_turn": "queue", "queue": 1 })).await;
    world.model.then([Step::After(100, "a")]);
    let first = answered(&world, "one").await;
    wait(10).await;
    let second = answered(&world, "two").await;
    let Fate::Unanswered { reason } = world.receive("three").await.fate else { panic!("there is no place") };
    assert!(reason.contains("agent.queue"));
    let _ = (first.await, second.await);
    assert!(world.model.last().entries.len() >= 4, "the next turn sees it");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_begins_anew_forgets_for_the_model_only() {
    let world = usual().await;
    world.say("one").await;
    assert_eq!(world.machine.reset(&"s".into()).await.expect("it can"), 2);
    world.say("two").await;
    assert_eq!(world.model.last().entries.len(), 1);
    assert_eq!(world.told().await.len(), 4);
    assert!(world.facts.names().contains(&"session_clear".to_owned()));
}
