//! Plugins start after those they require and stop before them; what goes wrong stays with the one that did it.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use expect_test::expect;
use nekro_core::{
    Caller, MemoryStore, Ports, StorePort,
    event::facts::{PluginFailed, PluginStarted, PluginStopped},
    kernel::{StartError, SwitchError},
};
use nekro_fixture_alpha::{Act, events::Poke, events::Ponder, life};
use serde_json::json;

use crate::world::{timed, told, world};

#[tokio::test(start_paused = true)]
async fn a_plugin_starts_after_those_it_requires_and_stops_before_them() {
    let world = world().start().await;
    assert_eq!(world.notes(), ["alpha init", "beta init"]);
    let started: Vec<_> = world.recorder.facts::<PluginStarted>().into_iter().map(|fact| fact.plugin.to_string()).collect();
    assert_eq!(started, ["alpha", "beta"]);
    world.kernel.stop().await;
    assert_eq!(world.notes(), ["beta cleanup", "alpha cleanup 1"]);
    let stopped: Vec<_> = world.recorder.facts::<PluginStopped>().into_iter().map(|fact| fact.plugin.to_string()).collect();
    assert_eq!(stopped, ["beta", "alpha"]);
}

#[tokio::test(start_paused = true)]
async fn an_init_that_takes_too_long_is_given_up_and_its_dependents_say_why_they_do_not_run() {
    let (world, took) = timed(world().alpha(json!({ "tag": "slow", "init": "hang" })).start()).await;
    assert_eq!(took, Duration::from_secs(30));
    expect!["its `#[init]` function failed: `alpha's #[init]` took longer than its deadline of 30s"]
        .assert_eq(&world.stage("alpha"));
    expect!["the plugin `alpha`, which it requires, is not running"].assert_eq(&world.stage("beta"));
    assert_eq!(world.notes(), ["alpha init"], "alpha's cleanup takes the state that was never made");
    assert_eq!(life("slow"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_fails_or_panics_is_reported_cleaned_up_and_the_others_run() {
    for (act, reason) in [
        ("fail", "its `#[init]` function failed: beta init failed as told"),
        ("panic", "its `#[init]` function failed: `beta's #[init]` panicked: beta init panicked as told"),
        ("panic_twice", "its `#[init]` function failed: `beta's #[init]` panicked: no message"),
        ("cling", "its `#[init]` function failed: `beta's #[init]` took longer than its deadline of 30s"),
    ] {
        let world = world().beta(json!({ "init": act })).start().await;
        assert_eq!(world.stage("beta"), reason);
        assert_eq!(world.stage("alpha"), "running");
        assert_eq!(world.notes(), ["alpha init", "beta init", "beta cleanup", "alpha heard that beta failed"]);
        assert_eq!(world.recorder.facts::<PluginFailed>()[0].reason, reason);
        assert_eq!(told(world.kernel.command("do", &[], &world.caller).await), r#""done""#);
        assert_eq!(told(world.call("beta.act", json!({})).await), "unknown_tool: there is no tool `beta.act`");
    }
}

#[tokio::test(start_paused = true)]
async fn started_all_or_none_those_that_had_started_are_stopped() {
    let (builder, recorder) = world().alpha(json!({ "tag": "all-or-none" })).beta(json!({ "init": "fail" })).builder();
    let error = builder.start_all().await.expect_err("beta cannot start");
    expect![[r#"
        not every plugin could start
          - beta: its `#[init]` function failed: beta init failed as told"#]]
    .assert_eq(&error.to_string());
    let notes: Vec<_> = recorder.facts::<nekro_fixture_alpha::events::Noted>().into_iter().map(|noted| noted.what).collect();
    assert_eq!(notes, ["alpha init", "beta init", "beta cleanup", "alpha heard that beta failed", "alpha cleanup 1"]);
    assert_eq!(life("all-or-none"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_host_does_not_have_is_reported_by_those_who_take_it() {
    let world = world().ports(Ports::new()).start().await;
    expect!["this agent has no `store`, which it takes"].assert_eq(&world.stage("alpha"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_linked_is_an_error_with_the_name_that_was_meant() {
    let problem = |result: Result<_, StartError>| result.map(drop).expect_err("no such plugin").to_string();
    expect!["no plugin `alhpa` is linked: did you mean `alpha`?"].assert_eq(&problem(world().without("alhpa").try_start().await));
    expect!["no plugin `zzz` is linked"].assert_eq(&problem(world().without("zzz").try_start().await));
    let world = world().start().await;
    let error = world.kernel.enable("btea").await.expect_err("no such plugin");
    expect!["no plugin `btea` is linked: did you mean `beta`?"].assert_eq(&error.to_string());
}

#[test]
fn without_a_runtime_nothing_starts() {
    let (builder, _) = world().builder();
    let poll = pin!(builder.start()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Ready(Err(StartError::NoRuntime))));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_plugin_is_not_constructed_listed_or_callable_and_hears_nothing() {
    let world = world().without("beta").start().await;
    assert_eq!((world.notes(), world.stage("beta")), (vec!["alpha init".to_owned()], "disabled".to_owned()));
    assert!(world.kernel.tools(&world.caller).all(|tool| tool.plugin().id == "alpha"));
    assert_eq!(told(world.call("beta.act", json!({})).await), "unknown_tool: there is no tool `beta.act`");
    world.emit(Poke::new("x")).await;
    assert_eq!(world.notes(), ["alpha - x"]);
    assert!(world.kernel.prompt(&world.caller).await.iter().all(|section| section.plugin == "alpha"));

    world.kernel.enable("beta").await.expect("it can start");
    world.kernel.enable("beta").await.expect("it runs already");
    world.emit(Poke::new("y")).await;
    assert_eq!(world.notes(), ["beta init", "alpha - y", "beta - y"]);

    world.kernel.disable("beta").await.expect("nobody requires it");
    world.kernel.disable("beta").await.expect("it is disabled already");
    world.kernel.disable("alpha").await.expect("nobody requires it any more");
    assert_eq!(told(world.kernel.command("do", &[], &world.caller).await), "unknown_command: there is no command `/do`");
    assert_eq!(world.kernel.commands(&world.caller).count(), 0);
    world.emit(Poke::new("z")).await;
    assert_eq!(world.notes(), ["beta cleanup", "alpha cleanup 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_a_running_one_requires_cannot_be_disabled_nor_its_dependent_enabled_without_it() {
    let world = world().start().await;
    let error = world.kernel.disable("alpha").await.expect_err("beta requires it");
    assert!(matches!(error, SwitchError::RequiredBy("beta")), "{error}");
    assert_eq!(world.stage("alpha"), "running");
    world.kernel.disable("beta").await.expect("nobody requires it");
    world.kernel.disable("alpha").await.expect("nobody requires it");
    let error = world.kernel.enable("beta").await.expect_err("alpha does not run");
    expect!["the plugin `alpha`, which it requires, is not running"].assert_eq(&error.to_string());
}

#[tokio::test(start_paused = true)]
async fn state_is_dropped_with_its_plugin_and_made_afresh() {
    let world = world().alpha(json!({ "tag": "fresh", "word": "w" })).without("beta").start().await;
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["w",1,"w"]"#);
    assert_eq!(life("fresh"), 1);
    world.kernel.disable("alpha").await.expect("nobody requires it");
    assert_eq!(life("fresh"), 0);
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["w",2,"w"]"#);
    let kernel = world.kernel.clone();
    drop((world, kernel));
    assert_eq!(life("fresh"), 0, "a kernel that nobody holds keeps nothing alive");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_cleans_up_after_the_calls_under_way_and_throws_away_what_waits() {
    let world = world().alpha(json!({ "tag": "busy" })).without("beta").limits(|limits| limits.concurrency = 1).start().await;
    let call = world.begin("alpha.peek", json!({ "act": { "wait": 2_000 } }), "alpha peek").await;
    world.kernel.emit(Poke::new("first").tell("alpha", Act::Wait(1_000)));
    for label in ["second", "third"] {
        world.kernel.emit(Poke::new(label));
    }
    world.until("alpha - first").await;
    world.notes();
    let ((), took) = timed(async { world.kernel.disable("alpha").await.expect("nobody requires it") }).await;
    assert_eq!(took, Duration::from_secs(2));
    assert_eq!(world.notes(), ["alpha - first waited", "alpha peek waited", "alpha cleanup 1"]);
    assert_eq!(told(call.await.expect("it did not panic")), r#"["",1,""]"#);
    assert_eq!((life("busy"), world.kernel.status()[0].waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_holds_up_the_cleanup_only_so_long() {
    let world = world().without("beta").start().await;
    let call = world.begin("alpha.peek", json!({ "act": "hang" }), "alpha peek").await;
    let ((), took) = timed(async { world.kernel.disable("alpha").await.expect("nobody requires it") }).await;
    assert_eq!(took, world.kernel.limits().cleanup_deadline);
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn what_one_plugin_does_never_holds_up_the_stopping_of_another() {
    let world = world().alpha(json!({ "mood": "hang" })).start().await;
    let call = world.begin("alpha.peek", json!({ "act": "hang" }), "alpha peek").await;
    world.kernel.emit(Poke::new("x").tell("alpha", Act::Hang));
    world.until("alpha - x").await;
    let (kernel, caller) = (world.kernel.clone(), world.caller.clone());
    let acts = [("alpha".to_owned(), Act::Hang)].into();
    let decision = tokio::spawn(async move { kernel.decide(Ponder { acts }, &caller).await.verdict.texts });
    let (kernel, caller) = (world.kernel.clone(), world.caller.clone());
    let prompt = tokio::spawn(async move { kernel.prompt(&caller).await.len() });
    world.until("alpha high").await;
    let ((), took) = timed(async { world.kernel.disable("beta").await.expect("nobody requires it") }).await;
    assert_eq!(took, Duration::ZERO);
    // Beta was asked before alpha hung, and is passed over after it.
    assert_eq!(
        decision.await.expect("it did not panic"),
        ["alpha early", "beta early", "beta high", "alpha high", "alpha low", "alpha late"]
    );
    assert_eq!(prompt.await.expect("it did not panic"), 2);
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn switching_goes_on_to_its_end_also_if_nobody_waits_for_it() {
    let world =
        world().alpha(json!({ "tag": "patience", "init": { "wait": 1_000 } })).without("alpha").without("beta").start().await;
    let brief = Duration::from_millis(1);
    tokio::time::timeout(brief, world.kernel.enable("alpha")).await.expect_err("it takes a second");
    world.kernel.enable("alpha").await.expect("it runs by then");
    assert_eq!(world.notes(), ["alpha init", "alpha init waited"]);
    let call = world.begin("alpha.peek", json!({ "act": { "wait": 2_000 } }), "alpha peek").await;
    tokio::time::timeout(brief, world.kernel.disable("alpha")).await.expect_err("a call is under way");
    assert!(call.await.expect("it did not panic").is_ok());
    world.until("alpha cleanup 1").await;
    world.kernel.stop().await;
    assert_eq!(life("patience"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_or_a_destructor_that_misbehaves_stops_nobody_else_from_stopping() {
    for config in [
        json!({ "cleanup": "fail" }),
        json!({ "cleanup": "panic" }),
        json!({ "cleanup": "hang" }),
        json!({ "cleanup": "cling" }),
        json!({ "farewell": "panic" }),
    ] {
        let world = world().alpha(config).without("beta").start().await;
        world.kernel.disable("alpha").await.expect("nobody requires it");
        world.kernel.enable("alpha").await.expect("it can start");
        world.kernel.enable("beta").await.expect("it can start");
        world.kernel.stop().await;
        assert_eq!((world.stage("alpha"), world.stage("beta")), ("disabled".to_owned(), "disabled".to_owned()));
        assert_eq!(world.notes().iter().filter(|note| note.contains("cleanup")).count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_or_told_after_the_kernel_has_stopped() {
    let world = world().start().await;
    world.kernel.emit(Poke::new("before"));
    world.kernel.stop().await;
    assert!(world.notes().contains(&"beta - before".to_owned()), "what waited was handled first");
    world.emit(Poke::new("after")).await;
    assert_eq!(world.notes(), [""; 0]);
    assert_eq!(told(world.call("alpha.value", json!({})).await), "unknown_tool: there is no tool `alpha.value`");
    assert_eq!(world.kernel.prompt(&Caller::host()).await, []);
    world.kernel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_failed_can_be_enabled_when_its_reason_is_gone() {
    let world = world().alpha(json!({ "init": "fail" })).start().await;
    world.kernel.enable("alpha").await.expect_err("the reason is still there");
    world.kernel.reconfigure("alpha", json!({})).await.expect("a good configuration");
    world.kernel.enable("alpha").await.expect("it can start");
    world.kernel.enable("beta").await.expect("it can start");
    assert_eq!((world.stage("alpha"), world.stage("beta")), ("running".to_owned(), "running".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn values_outlive_the_plugin_that_keeps_them() {
    let store = std::sync::Arc::new(MemoryStore::default());
    let world = world().with_port::<dyn StorePort>(store).without("beta").start().await;
    assert_eq!(told(world.call("alpha.keep", json!({ "whose": "plugin", "word": "w" })).await), "null");
    world.kernel.disable("alpha").await.expect("nobody requires it");
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(told(world.call("alpha.keep", json!({ "whose": "plugin" })).await), r#""w""#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_at_once_leaves_nothing_behind() {
    const ROUNDS: usize = 100;
    let world = std::sync::Arc::new(world().alpha(json!({ "tag": "storm" })).start().await);
    let switching = {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                world.kernel.disable("beta").await.expect("nobody requires it");
                if round % 3 == 0 {
                    world.kernel.disable("alpha").await.expect("nobody requires it");
                    world.kernel.enable("alpha").await.expect("it can start");
                }
                world.kernel.enable("beta").await.expect("it can start");
            }
        })
    };
    let braking = {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let word = json!({ "tag": "storm", "word": round.to_string() });
                world.kernel.reconfigure("alpha", word).await.expect("a good configuration");
                world.kernel.silence("alpha.poke").expect("an event");
                world.kernel.halt();
                tokio::task::yield_now().await;
                world.kernel.resume();
                world.kernel.unsilence("alpha.poke").expect("an event");
            }
        })
    };
    let using: Vec<_> = (0..3)
        .map(|user| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    world.kernel.emit(Poke::new(round.to_string()).on(format!("{user}")));
                    match world.call("alpha.peek", json!({})).await {
                        Ok(reply) => {
                            let (before, _, after): (String, u32, String) = serde_json::from_str(&reply.json).expect("its form");
                            assert_eq!(before, after, "one call sees one configuration");
                        }
                        // Denied by a guard whose plugin is starting.
                        Err(error) => assert!(["unknown_tool", "denied"].contains(&error.code()), "{error}"),
                    }
                    world.kernel.prompt(&world.caller).await;
                    world.kernel.decide(Ponder { acts: [].into() }, &world.caller).await;
                }
            })
        })
        .collect();
    switching.await.expect("it did not panic");
    braking.await.expect("it did not panic");
    for user in using {
        user.await.expect("it did not panic");
    }
    world.kernel.idle().await;
    assert_eq!((world.stage("alpha"), world.stage("beta"), life("storm")), ("running".to_owned(), "running".to_owned(), 1));
    world.kernel.stop().await;
    let notes = world.all_notes();
    let count = |what: &str| notes.iter().filter(|note| note.starts_with(what)).count();
    assert_eq!((count("alpha init"), count("beta init")), (count("alpha cleanup"), count("beta cleanup")));
    assert_eq!(life("storm"), 0);
}
