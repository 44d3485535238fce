//! A turn ends once, whatever happens.

use std::sync::Arc;

use nekro_core::{
    ClockPort, SessionId,
    event::facts::{TurnComplete, TurnOutcome},
    testing::FakeClock,
};
use serde_json::json;

use super::world::{Step, World, usual, world, world_with};
use crate::{
    history::{HistoryPort, MemoryHistory, Turn},
    model::ModelErrorKind,
};

#[track_caller]
fn ended(world: &World) -> Vec<TurnOutcome> {
    let facts = world.facts::<TurnComplete>();
    let mut turns: Vec<_> = facts.iter().map(|fact| fact.turn.clone()).collect();
    turns.dedup();
    assert_eq!(turns.len(), facts.len(), "each turn ends once");
    facts.into_iter().map(|fact| fact.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn a_turn_ends_when_the_model_fails_panics_or_is_silent() {
    let world = usual().await;
    for (step, outcome, problem) in [
        (Step::Fail(ModelErrorKind::Unauthorized), TurnOutcome::Failed, Some("headache")),
        (Step::Panic, TurnOutcome::Failed, Some("as the test wants")),
        (Step::Say(""), TurnOutcome::Silent, None),
        (Step::Say("well"), TurnOutcome::Answered, None),
    ] {
        let end = world.script("hello", [step]).await;
        assert_eq!(end.outcome, outcome);
        assert_eq!(end.problem.is_some(), problem.is_some());
        assert!(end.problem.unwrap_or_default().contains(problem.unwrap_or_default()));
    }
    assert_eq!(ended(&world), [TurnOutcome::Failed, TurnOutcome::Failed, TurnOutcome::Silent, TurnOutcome::Answered]);
    assert!(world.history.open_turns().await.expect("in memory").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_turn_ends_when_every_handler_of_a_plugin_panics() {
    let names = ["turn_starting", "turn_context", "builtin_use", "message_intercept", "final_answer_draft"];
    let answers: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!(["panic", "panic"]))).collect();
    let world = world(json!({ "answers": answers }), json!({})).await;
    assert_eq!(world.say("hello").await.outcome, TurnOutcome::Answered);
    assert_eq!(ended(&world), [TurnOutcome::Answered]);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_too_long_is_tried_with_less() {
    let world = usual().await;
    let end = world.script("hello", [Step::Fail(ModelErrorKind::TooLong), Step::Say("well")]).await;
    assert_eq!(end.outcome, TurnOutcome::Answered);
    let steps = [Step::Fail(ModelErrorKind::TooLong), Step::Fail(ModelErrorKind::TooLong)];
    let problem = world.script("hello", steps).await.problem.expect("it failed");
    assert!(problem.contains("agent.context_tokens"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_cut_off_is_closed_at_the_next_start() {
    let clock = Arc::new(FakeClock::default());
    let history = Arc::new(MemoryHistory::new(Arc::clone(&clock) as _));
    let session = SessionId::from("s");
    history.begin_session(&session).await.expect("in memory");
    let turn = Turn { id: "s-turn-7".into(), session, message: None, began: clock.now() };
    history.begin_turn(turn).await.expect("in memory");
    let world = world_with(json!({}), json!({}), Arc::clone(&history)).await;
    assert_eq!(ended(&world), [TurnOutcome::Cancelled]);
    let again = world_with(json!({}), json!({}), history).await;
    assert_eq!(ended(&again), [], "once");
}

#[test]
fn a_turn_that_is_under_way_when_the_runtime_ends_is_ended() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let world = runtime.block_on(async {
        let world = usual().await;
        world.model.then([Step::Hang("never")]);
        world.receive("hello").await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        world
    });
    drop(runtime);
    assert_eq!(ended(&world), [TurnOutcome::Cancelled]);
}
