//! Decisions: in a declared order, merged in a lattice, closed when a guard fails.

use std::{collections::BTreeMap, time::Duration};

use expect_test::expect;
use nekro_core::{
    SessionId,
    event::{Approval, Rewrite, Signal, decisions::UserMessage},
    kernel::Failed,
};
use nekro_fixture_alpha::{
    Act, Say,
    events::{Judge, Polish, Ponder},
};
use serde_json::json;

use crate::world::{World, timed, world};

fn acts<const N: usize>(acts: [(&str, Act); N]) -> BTreeMap<String, Act> {
    acts.into_iter().map(|(who, act)| (who.to_owned(), act)).collect()
}

fn judge(alpha: Say, beta: Say) -> Judge {
    Judge { says: [("alpha".to_owned(), alpha), ("beta".to_owned(), beta)].into() }
}

fn shown(failed: &[Failed]) -> String {
    failed.iter().map(|failed| format!("{} {}: {}\n", failed.plugin, failed.handler, failed.reason)).collect()
}

#[tokio::test(start_paused = true)]
async fn handlers_are_awaited_by_phase_priority_and_plugin() {
    let world = world().start().await;
    // Slow ones are waited for.
    let acts = acts([("alpha early", Act::Wait(500)), ("beta high", Act::Wait(500))]);
    let (decided, took) = timed(world.kernel.decide(Ponder { acts }, &world.caller)).await;
    assert_eq!(
        decided.verdict.texts,
        ["alpha early", "beta early", "beta high", "alpha high", "alpha", "beta", "alpha low", "alpha late", "beta late"]
    );
    assert_eq!(took.as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn deny_beats_ask_and_ask_beats_allow_whoever_says_it() {
    let world = world().start().await;
    let says = [Say::Allow, Say::Ask, Say::Deny];
    for (rank_of_alpha, alpha) in says.iter().enumerate() {
        for (rank_of_beta, beta) in says.iter().enumerate() {
            world.notes();
            let decided = world.kernel.decide(judge(alpha.clone(), beta.clone()), &world.caller).await;
            let rank = match decided.verdict {
                Approval::Allow => 0,
                Approval::Ask { .. } => 1,
                Approval::Deny { .. } => 2,
            };
            assert_eq!(rank, rank_of_alpha.max(rank_of_beta), "{alpha:?} {beta:?}");
            assert_eq!(world.notes(), ["alpha judged", "beta judged"], "all are asked, whatever the first says");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_fails_in_any_way_denies() {
    let deny = |world: World, act: Act| async move {
        let judge = judge(Say::Do(act), Say::Allow);
        let (decided, took) = timed(world.kernel.decide(judge, &world.caller)).await;
        let Approval::Deny { reason } = decided.verdict else { panic!("{:?}", decided.verdict) };
        assert_eq!(decided.failed.len(), 1);
        (reason, took.as_secs())
    };
    for (act, expected, seconds) in [
        (Act::Fail, expect!["the guard `judge` of the plugin `alpha` failed: alpha failed as told"], 0),
        (Act::Panic, expect!["the guard `judge` of the plugin `alpha` failed: it panicked: alpha panicked as told"], 0),
        (Act::PanicTwice, expect!["the guard `judge` of the plugin `alpha` failed: it panicked: no message"], 0),
        (Act::Hang, expect!["the guard `judge` of the plugin `alpha` failed: it took longer than its deadline of 5s"], 5),
        (Act::Cling, expect!["the guard `judge` of the plugin `alpha` failed: it took longer than its deadline of 5s"], 5),
    ] {
        let (reason, took) = deny(world().start().await, act).await;
        expected.assert_eq(&reason);
        assert_eq!(took, seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_in_quarantine_denies_until_it_has_recovered() {
    let world = world().limits(|limits| limits.breaker_failures = 1).start().await;
    world.kernel.decide(judge(Say::Do(Act::Fail), Say::Allow), &world.caller).await;
    world.notes();
    let decided = world.kernel.decide(judge(Say::Allow, Say::Allow), &world.caller).await;
    expect![[r#"
        alpha judge: it failed too often and is not called for a while
    "#]]
    .assert_eq(&shown(&decided.failed));
    assert!(matches!(decided.verdict, Approval::Deny { .. }));
    assert_eq!(world.notes(), ["beta judged"]);
    tokio::time::advance(world.kernel.limits().breaker_cooldown).await;
    // The trial is cancelled half-way and says nothing; the next one comes after the same time.
    let hanging = judge(Say::Do(Act::Hang), Say::Allow);
    tokio::time::timeout(Duration::from_secs(1), world.kernel.decide(hanging, &world.caller)).await.expect_err("it hangs");
    assert!(matches!(world.kernel.decide(judge(Say::Allow, Say::Allow), &world.caller).await.verdict, Approval::Deny { .. }));
    tokio::time::advance(world.kernel.limits().breaker_cooldown).await;
    assert_eq!(world.kernel.decide(judge(Say::Allow, Say::Allow), &world.caller).await.verdict, Approval::Allow);
    assert_eq!(world.kernel.decide(judge(Say::Allow, Say::Allow), &world.caller).await.verdict, Approval::Allow);
}

#[tokio::test(start_paused = true)]
async fn what_a_transformer_changes_the_next_one_sees_and_what_a_failing_one_would_have_is_dropped() {
    let world = world().start().await;
    let text = "x".to_owned();
    let decided = world.kernel.decide(Polish { text: text.clone(), acts: acts([]) }, &world.caller).await;
    assert_eq!((decided.verdict, decided.event.text), (Rewrite::to("x+alpha+beta"), "x+alpha+beta".to_owned()));

    for act in [Act::Fail, Act::Panic, Act::Hang] {
        let decided = world.kernel.decide(Polish { text: text.clone(), acts: acts([("alpha", act)]) }, &world.caller).await;
        assert_eq!((decided.verdict, decided.event.text), (Rewrite::to("x+beta"), "x+beta".to_owned()));
        assert_eq!((decided.failed[0].plugin, decided.failed[0].handler), ("alpha", "polish"));
    }
    let all = acts([("alpha", Act::Fail), ("beta", Act::Fail)]);
    let decided = world.kernel.decide(Polish { text, acts: all }, &world.caller).await;
    assert_eq!((decided.verdict, decided.failed.len()), (Rewrite::Keep, 2));
}

#[tokio::test(start_paused = true)]
async fn the_strongest_signal_and_the_last_text_count() {
    let world = world().start().await;
    let ask = |text: &str| UserMessage { session: SessionId::from("s"), message: "m".into(), user: None, text: text.to_owned() };
    for (text, signal) in [
        ("hello", Signal::Continue),
        ("alpha:block_trigger beta:force_trigger", Signal::ForceTrigger),
        ("alpha:block_all beta:force_trigger", Signal::BlockAll),
    ] {
        let decided = world.kernel.decide(ask(text), &world.caller).await;
        assert_eq!(decided.verdict.signal, signal);
        let said = if text == "hello" { None } else { Some(format!("{text} alpha beta")) };
        assert_eq!(decided.verdict.text, said);
    }
}

#[tokio::test(start_paused = true)]
async fn without_handlers_a_decision_is_neutral() {
    let world = world().start().await;
    let verdict = || async { world.kernel.decide(judge(Say::Deny, Say::Deny), &world.caller).await.verdict };
    assert_ne!(verdict().await, Approval::Allow);
    world.kernel.silence("alpha.judge").expect("an event");
    assert_eq!(verdict().await, Approval::Allow);
    world.kernel.unsilence("alpha.judge").expect("an event");
    assert_ne!(verdict().await, Approval::Allow);
    world.kernel.halt();
    assert_eq!(verdict().await, Approval::Allow);
    world.kernel.resume();
    assert_ne!(verdict().await, Approval::Allow);
    world.kernel.disable("beta").await.expect("nobody requires it");
    world.kernel.disable("alpha").await.expect("nobody requires it");
    assert_eq!(verdict().await, Approval::Allow);
}

#[tokio::test(start_paused = true)]
async fn a_guard_whose_plugin_could_not_start_denies_and_one_that_somebody_disabled_does_not() {
    let world = world().beta(json!({ "init": "fail" })).start().await;
    let verdict = || async { world.kernel.decide(judge(Say::Allow, Say::Allow), &world.caller).await.verdict };
    expect!["the guard `judge` of the plugin `beta` failed: its plugin is not running"].assert_eq(&match verdict().await {
        Approval::Deny { reason } => reason,
        other => format!("{other:?}"),
    });
    world.kernel.disable("beta").await.expect("nobody requires it");
    assert_eq!(verdict().await, Approval::Allow);
    world.kernel.enable("beta").await.expect_err("it still cannot");
    assert!(matches!(verdict().await, Approval::Deny { .. }));
    world.kernel.reconfigure("beta", json!({})).await.expect("a good configuration");
    world.kernel.enable("beta").await.expect("it can start");
    assert_eq!(verdict().await, Approval::Allow);
}

#[tokio::test(start_paused = true)]
async fn a_decision_can_be_asked_by_name_with_json() {
    let world = world().start().await;
    let trigger = world.kernel.registry().event("alpha.judge").expect("linked").decl.trigger;
    let verdict = trigger(&world.kernel, r#"{"says":{"beta":"deny"}}"#, &world.caller).await.expect("a decision");
    expect![[r#"{"reason":"beta says no","verdict":"deny"}"#]].assert_eq(&verdict.to_string());
    let error = trigger(&world.kernel, r#"{"says":{"beta":"dney"}}"#, &world.caller).await.expect_err("no such thing to say");
    assert_eq!(error.code(), "invalid_event");
}
