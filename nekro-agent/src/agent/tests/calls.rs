//! The calls of a turn.

use nekro_core::{
    Caller, Role,
    event::facts::{MessageSent, ToolOutcome, TurnOutcome},
};
use serde_json::{Value, json};

use super::world::{Step, usual, world};
use crate::{
    agent::{Fate, Inbound, inbound::From},
    history::HistoryPort,
    model::Entry,
};

fn call(tool: &'static str, arguments: Value) -> Step {
    Step::Call(vec![(tool, arguments)])
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_tool_reaches_the_model_in_its_way() {
    let world = usual().await;
    let calls = ["probe.remember", "probe.look", "probe.picture", "probe.fail", "probe.crash"];
    let calls: Vec<_> = calls.iter().map(|tool| (*tool, json!({}))).collect();
    world.script("hello", [Step::Call(calls), Step::Say("done")]).await;
    assert_eq!(
        world.told().await[1..8],
        [
            "answer:  probe.remember probe.look probe.picture probe.fail probe.crash",
            "probe.remember: true",
            "probe.look: [\"a tree\"]",
            "probe.picture: Your chart:",
            "probe.fail: Error (not_found): no city is called Atlantis\nHint: ask for a larger one",
            "probe.crash: Error (panicked): `probe.crash` panicked: as the test wants",
            "notice: There is something to remember.",
        ]
    );
    let entries = world.model.last().entries;
    let Entry::Result { images, failed, .. } = &entries[4] else { panic!("a result: {entries:?}") };
    assert_eq!((images.len(), *failed), (1, false));
    assert_eq!(entries.last(), Some(&Entry::Notice { text: "There is something to remember.".into() }));
    assert!(matches!(&entries[6], Entry::Result { failed: true, .. }));
}

#[tokio::test(start_paused = true)]
async fn how_far_a_call_has_come_is_shown_while_it_goes_on() {
    let world = usual().await;
    let calls = vec![("probe.wait", json!({ "millis": 50 })), ("probe.look", json!({}))];
    world.script("hello", [Step::Call(calls), Step::Say("done")]).await;
    let seen = world.people.seen();
    let at = |begin: &str| seen.iter().position(|seen| seen.starts_with(begin)).unwrap_or_else(|| panic!("{begin} {seen:?}"));
    let told = at("CallAdvanced");
    assert!(seen[told].contains("probe.wait") && seen[told].contains("waiting"), "{}", seen[told]);
    let ended = seen.iter().position(|seen| seen.starts_with("CallEnded") && seen.contains("probe.wait"));
    assert!(at("CallBegan") < told && Some(told) < ended, "{seen:?}");
    assert_eq!(seen.iter().filter(|seen| seen.starts_with("CallAdvanced")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn wrong_arguments_and_unknown_tools_are_told_to_the_model() {
    let world = usual().await;
    let calls = vec![("probe.echo", json!({ "txet": "hi" })), ("probe.ecko", json!({})), ("probe.echo", json!([1]))];
    world.script("hello", [Step::Call(calls), Step::Say("done")]).await;
    let told = world.told().await;
    assert!(told[2].contains("invalid_arguments") && told[2].contains("text"), "{}", told[2]);
    assert!(told[3].contains("did you mean `probe.echo`?"), "{}", told[3]);
    assert!(told[4].contains("invalid_arguments"), "{}", told[4]);
}

#[tokio::test(start_paused = true)]
async fn calls_run_together_and_what_destroys_runs_alone() {
    let world = usual().await;
    let wait = || ("probe.wait", json!({ "millis": 50 }));
    let calls = vec![wait(), wait(), ("probe.burn", json!({})), wait(), ("probe.together", json!({}))];
    world.script("hello", [Step::Call(calls), Step::Say("done")]).await;
    let told = world.told().await;
    assert_eq!(told[4], "probe.burn: 1", "nothing else was under way");
    assert_eq!(told[6], "probe.together: 2");
}

#[tokio::test(start_paused = true)]
async fn no_more_run_together_than_allowed() {
    let world = world(json!({}), json!({ "parallel_calls": 2, "calls": 4 })).await;
    let calls = (0..6).map(|_| ("probe.wait", json!({ "millis": 50 }))).collect();
    world.script("hello", [Step::Call(calls), call("probe.together", json!({})), Step::Say("done")]).await;
    let told = world.told().await;
    assert!(told[6].contains("`agent.calls`") && told[7].contains("`agent.calls`"), "{told:?}");
    assert_eq!(told[9], "probe.together: 2");
}

#[tokio::test(start_paused = true)]
async fn a_long_result_is_cut_and_kept_whole() {
    let world = world(json!({}), json!({ "result_tokens": 50 })).await;
    world.script("hello", [call("probe.much", json!({ "length": 5_000 })), Step::Say("done")]).await;
    let shown = world.told().await.remove(2);
    assert!(shown.len() < 300 && shown.contains("5000 characters") && shown.contains("`agent.result_tokens` is 50"), "{shown}");
    let kept = world.history.calls(&"s".into(), 10).await.expect("in memory");
    assert_eq!((kept[0].result.len(), kept[0].outcome), (5_000, ToolOutcome::Ok));
}

#[tokio::test(start_paused = true)]
async fn the_same_call_with_the_same_result_is_not_made_for_ever() {
    let world = world(json!({}), json!({ "repeats": 2 })).await;
    let look = || call("probe.look", json!({}));
    let next = || call("probe.next", json!({}));
    world.script("hello", [look(), look(), look(), next(), next(), next(), Step::Say("done")]).await;
    let told = world.told().await;
    assert!(told[6].contains("`agent.repeats`"), "{told:?}");
    assert!(!told[12].contains("`agent.repeats`"), "each time it said something else: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn after_so_many_rounds_the_model_has_to_answer() {
    let world = world(json!({}), json!({ "rounds": 2 })).await;
    let next = || call("probe.next", json!({}));
    let ended = world.script("hello", [next(), next(), Step::Say("what I have")]).await;
    assert_eq!((ended.outcome, ended.answer.as_deref()), (TurnOutcome::Limit, Some("what I have")));
    assert!(world.model.last().tools.is_empty());
    let ended = world.script("again", [next(), next(), next()]).await;
    assert_eq!(ended.outcome, TurnOutcome::Limit);
    assert!(ended.answer.is_some_and(|answer| answer.contains("`agent.rounds`")));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_sleeps_until_the_model_wakes_it() {
    let world =
        world(json!({ "rules": "Rules." }), json!({ "plugins": { "probe": { "sleep": true, "brief": "probes" } } })).await;
    let wake = |rounds: u32| call("activate_plugin", json!({ "name": "probe", "rounds": rounds }));
    let look = || call("probe.look", json!({}));
    world.script("hello", [look(), wake(2), look(), look(), look(), Step::Say("done")]).await;
    let told = world.told().await;
    assert!(told[2].contains("there is no tool"), "{}", told[2]);
    assert_eq!(told[4], "activate_plugin: `probe` is awake for 2 rounds, from the next one on.");
    let asked = world.model.asked();
    let offered: Vec<_> = asked.iter().map(|request| request.tools.len() > 1).collect();
    assert_eq!(offered, [false, false, true, true, false, false], "{told:?}");
    let line = "These plugins sleep; `activate_plugin` wakes one, and then you can call its tools:\n- probe: probes";
    assert!(asked[0].system.contains(&line.to_owned()) && !asked[2].system.contains(&line.to_owned()));
    assert!(asked[2].system.contains(&"Rules.".to_owned()) && !asked[0].system.contains(&"Rules.".to_owned()));
    let person = Caller::operator().in_session("s");
    world.kernel.call("probe.look", "{}", &person).await.expect("people can use what sleeps");
}

#[tokio::test(start_paused = true)]
async fn what_a_plugin_says_is_kept_and_told() {
    let world = usual().await;
    world.script("hello", [call("probe.speak", json!({})), Step::Say("done")]).await;
    let sent: Vec<_> = world.facts::<MessageSent>().into_iter().map(|fact| (fact.text, fact.plugin.is_some())).collect();
    assert_eq!(sent, [("psst".to_owned(), true), ("done".to_owned(), false)]);
    world.say("again").await;
    let heard = world.model.last().entries.contains(&Entry::Answer { text: "psst".into(), calls: vec![] });
    assert!(heard, "the model knows of it");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_person_approves_is_made_and_one_for_several_people_may_do_what_each_of_them_may() {
    let ask = json!({ "verdict": "ask", "reason": "sure?" });
    let world = world(json!({ "answers": { "tool_call": [ask] } }), json!({ "debounce": "10ms" })).await;
    world.approver.answer(true);
    world.model.then([call("probe.look", json!({})), Step::Say("done")]);
    let from = |role| From::Person { user: None, role };
    let guest = world.machine.receive(Inbound { from: from(Role::Guest), ..Inbound::operator("s", "one") });
    let admin = world.machine.receive(Inbound { from: from(Role::Admin), ..Inbound::operator("s", "two") });
    let (_, admin) = (guest.await, admin.await);
    let Fate::Answered(ended) = admin.expect("it is stored").fate else { panic!("it is answered") };
    ended.await.expect("it ends");
    let told = world.told().await;
    assert!(told.contains(&"probe.look: [\"a tree\"]".to_owned()), "{told:?}");
    let names = world.facts.names();
    assert!(names.contains(&"approval_required".to_owned()) && names.contains(&"approval_resolved".to_owned()));
    assert_eq!(world.asked("tool_call").await[0]["caller"]["role"], "guest");
}
