//! Prompt sections: in order, within their budgets, and none in another's way.

use std::time::Duration;

use nekro_core::{Caller, kernel::Section};
use serde_json::json;

use crate::world::{World, timed, world};

fn texts(sections: &[Section]) -> Vec<&str> {
    sections.iter().map(|section| section.text.as_str()).collect()
}

async fn prompt(world: &World, session: &str) -> Vec<Section> {
    world.kernel.prompt(&Caller::operator().in_session(session)).await
}

#[tokio::test(start_paused = true)]
async fn static_sections_come_first_then_the_higher_priority() {
    let world = world().alpha(json!({ "word": "always" })).start().await;
    let sections = prompt(&world, "s").await;
    assert_eq!(texts(&sections), ["between", "always", "in s", "whimsical"]);
    assert_eq!(sections.iter().map(|section| section.is_static).collect::<Vec<_>>(), [true, true, false, false]);
    world.kernel.reconfigure("alpha", json!({ "word": "" })).await.expect("a good configuration");
    assert_eq!(texts(&prompt(&world, "s").await), ["between", "in s", "whimsical"], "a section without text is none");
}

#[tokio::test(start_paused = true)]
async fn a_section_is_cut_to_its_budget_in_characters() {
    let world = world().alpha(json!({ "word": "ä".repeat(30) })).limits(|limits| limits.prompt_budget = 20).start().await;
    let sections = prompt(&world, "äöüäöüäöü").await;
    let lengths: Vec<_> = sections.iter().map(|section| section.text.chars().count()).collect();
    assert_eq!(lengths, [7, 20, 10, 9]);
    assert_eq!(texts(&sections)[2], "in äöüäöü…");
    assert_eq!(prompt(&world, "äöüäöüä").await[2].text, "in äöüäöüä", "what fits is not cut");
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_nothing_is_no_section() {
    let world = world().alpha(json!({ "word": "always" })).limits(|limits| limits.prompt_budget = 0).start().await;
    assert_eq!(texts(&prompt(&world, "s").await), ["in s"], "it has a budget of its own");
}

#[tokio::test(start_paused = true)]
async fn a_section_that_fails_keeps_its_last_good_text_of_that_session_and_person() {
    let world = world().start().await;
    prompt(&world, "s").await;
    for (act, reason) in [
        ("fail", "alpha mood failed as told"),
        ("panic", "it panicked: alpha mood panicked as told"),
        ("hang", "it took longer than its deadline of 2s"),
    ] {
        world.kernel.reconfigure("alpha", json!({ "mood": act })).await.expect("a good configuration");
        let sections = prompt(&world, "s").await;
        assert_eq!(texts(&sections), ["between", "in s", "whimsical"]);
        assert_eq!(sections[1].failure.as_deref(), Some(reason));
        assert_eq!(texts(&prompt(&world, "t").await), ["between", "whimsical"], "another session's text is not shown");
        let other = world.kernel.prompt(&Caller::operator().in_session("s").as_user("another")).await;
        assert_eq!(texts(&other), ["between", "whimsical"], "nor another person's");
    }
    world.kernel.reconfigure("alpha", json!({})).await.expect("a good configuration");
    let sections = prompt(&world, "s").await;
    assert!(sections.iter().all(|section| section.failure.is_none()));
}

#[tokio::test(start_paused = true)]
async fn the_last_good_text_goes_with_its_plugin() {
    let world = world().without("beta").start().await;
    prompt(&world, "s").await;
    world.kernel.disable("alpha").await.expect("nobody requires it");
    world.kernel.reconfigure("alpha", json!({ "mood": "fail" })).await.expect("a good configuration");
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(texts(&prompt(&world, "s").await), ["whimsical"]);
}

#[tokio::test(start_paused = true)]
async fn slow_sections_are_waited_for_together() {
    let world = world().alpha(json!({ "mood": "hang", "whim": "cling", "word": "always" })).start().await;
    let (sections, took) = timed(prompt(&world, "s")).await;
    assert_eq!(texts(&sections), ["between", "always"]);
    assert_eq!(took, Duration::from_secs(2));
    world.kernel.reconfigure("alpha", json!({ "mood": { "wait": 1_000 }, "whim": { "wait": 500 } })).await.expect("a good one");
    let (sections, took) = timed(prompt(&world, "s")).await;
    assert_eq!(texts(&sections), ["between", "in s", "whimsical"], "in their order, not in that of their coming");
    assert_eq!(took.as_millis(), 1_000);
}
