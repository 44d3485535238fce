//! Facts: in order for each plugin and session, bounded, and no plugin in another's way.

use std::{collections::BTreeMap, time::Duration};

use nekro_fixture_alpha::{
    Act,
    events::{Echo, Grenade, Poke, Relay},
};
use serde_json::json;

use crate::world::{World, timed, told, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn facts_of_a_session_come_in_order_under_load() {
    const THREADS: usize = 4;
    const SESSIONS: usize = 16;
    const FACTS: usize = 40;
    let world = world().limits(|limits| limits.mailbox = 100_000).start().await;
    world.notes();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let kernel = world.kernel.clone();
            std::thread::spawn(move || {
                for fact in 0..FACTS {
                    for session in 0..SESSIONS {
                        kernel.emit(Poke::new(fact.to_string()).on(format!("{thread}.{session}")));
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("emitting does not panic"));
    world.kernel.idle().await;
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for note in world.notes() {
        let (lane, fact) = note.rsplit_once(' ').expect("three words");
        seen.entry(lane.to_owned()).or_default().push(fact.parse().expect("a number"));
    }
    assert_eq!(seen.len(), 2 * THREADS * SESSIONS, "each plugin saw each session");
    assert!(seen.values().all(|facts| facts.iter().copied().eq(0..FACTS)), "{seen:?}");
    let status = world.kernel.status();
    assert!(status.iter().all(|status| (status.waiting, status.dropped) == (0, 0)), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn idle_means_that_all_are_idle_together() {
    let world = world().start().await;
    world.notes();
    for round in 0..200 {
        world.emit(Relay { left: 20 }).await;
        assert_eq!(world.notes(), ["relay ends", "relay ends"], "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn facts_without_a_session_come_in_order() {
    let world = world().start().await;
    world.notes();
    for label in 0..50 {
        let act = if label % 7 == 0 { Act::Wait(10) } else { Act::Return };
        world.kernel.emit(Poke::new(label.to_string()).tell("alpha", act));
    }
    world.kernel.idle().await;
    let seen: Vec<_> = world.notes().iter().filter_map(|note| note.strip_prefix("alpha - ")?.parse::<u32>().ok()).collect();
    assert!(seen.into_iter().eq(0..50));
}

#[tokio::test(start_paused = true)]
async fn whatever_one_plugin_does_another_is_told_at_once_and_the_next_fact_comes() {
    for act in [Act::Fail, Act::Panic, Act::PanicTwice, Act::Hang, Act::Cling, Act::Wait(1_000)] {
        let world = world().start().await;
        world.notes();
        world.kernel.emit(Poke::new("first").on("s").tell("alpha", act.clone()));
        world.kernel.emit(Poke::new("second").on("s"));
        let ((), took) = timed(world.until("beta s second")).await;
        assert_eq!(took, Duration::ZERO, "{act:?}");
        world.kernel.idle().await;
        let notes = world.notes();
        assert_eq!(notes.iter().filter(|note| *note == "alpha s second").count(), 1, "{act:?}: {notes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fact_whose_destructor_panics_leaves_no_lane_stuck() {
    let world = world().limits(|limits| limits.concurrency = 1).start().await;
    world.notes();
    world.kernel.emit(Grenade { session: "s".into(), armed: true });
    world.kernel.emit(Grenade { session: "s".into(), armed: false });
    world.kernel.emit(Poke::new("after").on("s"));
    world.kernel.emit(Poke::new("elsewhere").on("t"));
    world.kernel.idle().await;
    let mut notes = world.notes();
    notes.retain(|note| note.starts_with("alpha"));
    assert_eq!(notes, ["alpha grenade", "alpha t elsewhere", "alpha grenade", "alpha s after"], "sessions take turns");
    assert_eq!(world.kernel.status()[0].waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_given_up() {
    let world = world().start().await;
    for act in [Act::Hang, Act::Cling] {
        let ((), took) = timed(world.emit(Poke::new("x").tell("alpha", act))).await;
        assert_eq!(took, world.kernel.limits().fact_deadline);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_always_busy_is_given_up_too() {
    let world = world().start().await;
    world.kernel.emit(Poke::new("x").tell("alpha", Act::Spin));
    world.until("alpha - x").await;
    tokio::time::advance(world.kernel.limits().fact_deadline).await;
    world.kernel.idle().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_answers_itself_for_ever_takes_nobody_the_time() {
    let world = world().start().await;
    world.notes();
    world.kernel.emit(Echo {});
    world.kernel.emit(Poke::new("x"));
    world.until("beta - x").await;
    world.until("alpha - x").await;
    world.kernel.halt();
    world.kernel.idle().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_drops_what_comes_counts_it_and_never_holds_the_emitter_up() {
    let world = world().limits(|limits| (limits.mailbox, limits.concurrency) = (2, 1)).start().await;
    world.kernel.emit(Poke::new("slow").tell("alpha", Act::Wait(1_000)));
    world.until("alpha - slow").await;
    world.kernel.idle().await;
    world.notes();
    world.kernel.emit(Poke::new("slow").tell("alpha", Act::Wait(1_000)));
    world.until("beta - slow").await;
    while world.kernel.status()[0].waiting > 0 {
        tokio::task::yield_now().await;
    }
    let ((), took) = timed(async {
        for label in 1..=10 {
            world.kernel.emit(Poke::new(label.to_string()));
        }
    })
    .await;
    assert_eq!(took, Duration::ZERO);
    let alpha = world.kernel.status().remove(0);
    assert_eq!((alpha.waiting, alpha.dropped), (2, 8));
    world.kernel.idle().await;
    let mut notes = world.notes();
    notes.retain(|note| note.starts_with("alpha"));
    assert_eq!(notes, ["alpha - slow", "alpha - slow waited", "alpha - 1", "alpha - 2"], "what was accepted came, in order");
    let shown = serde_json::to_value(world.kernel.status()).expect("plain data");
    assert_eq!(shown[0]["dropped"], 8);
}

#[tokio::test(start_paused = true)]
async fn no_more_facts_are_handled_at_once_than_allowed() {
    // Zero would be nothing ever; it counts as one.
    for (concurrency, seconds) in [(0, 10), (1, 10), (3, 4), (100, 1)] {
        let world = world().limits(|limits| limits.concurrency = concurrency).start().await;
        for session in 0..10 {
            world.kernel.emit(Poke::new("x").on(session.to_string()).tell("alpha", Act::Wait(1_000)));
        }
        let ((), took) = timed(world.kernel.idle()).await;
        // A timer fires within a millisecond of its time.
        assert_eq!(took.as_millis() / 1_000, seconds, "concurrency {concurrency}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_nothing_are_no_trouble() {
    let world = world()
        .limits(|limits| {
            limits.mailbox = 0;
            limits.breaker_failures = 0;
            limits.fact_deadline = Duration::ZERO;
            limits.call_deadline = Duration::ZERO;
            limits.decision_deadline = Duration::ZERO;
            limits.cleanup_deadline = Duration::ZERO;
        })
        .start()
        .await;
    world.emit(Poke::new("x")).await;
    assert!(world.kernel.status().iter().all(|status| (status.waiting, status.dropped) == (0, 1)));
    assert_eq!(told(world.call("alpha.value", json!({})).await), "7", "what never waits is never late");
    world.kernel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn limits_without_end_are_no_trouble() {
    let world = world()
        .limits(|limits| {
            limits.call_deadline = Duration::MAX;
            limits.fact_deadline = Duration::MAX;
            limits.decision_deadline = Duration::MAX;
            limits.breaker_cooldown = Duration::MAX;
            limits.breaker_window = Duration::MAX;
            limits.approval_deadline = Duration::MAX;
            limits.cleanup_deadline = Duration::MAX;
            limits.breaker_failures = 1;
            limits.mailbox = usize::MAX;
            limits.concurrency = usize::MAX;
        })
        .start()
        .await;
    assert_eq!(told(world.call("alpha.time_left", json!({})).await), u64::MAX.to_string());
    assert_eq!(told(world.call("alpha.hidden", json!({})).await), "unknown_tool: there is no tool `alpha.hidden`");
    assert_eq!(told(world.call("alpha.act", json!({ "act": { "wait": 1_000 } })).await), r#""done""#);
    world.emit(Poke::new("x").tell("alpha", Act::Fail)).await;
    assert_eq!(world.kernel.status()[0].quarantined, ["on_poke"]);
    world.kernel.stop().await;
}

/// Pokes alpha, and tells whether it was called.
async fn poke(world: &World, act: Act) -> bool {
    world.notes();
    world.emit(Poke::new("x").tell("alpha", act)).await;
    world.notes().contains(&"alpha - x".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_keeps_failing_is_left_alone_for_a_while() {
    let world = world().limits(|limits| limits.breaker_failures = 3).start().await;
    for act in [Act::Fail, Act::Panic, Act::Hang] {
        assert!(poke(&world, act).await);
    }
    assert_eq!(world.kernel.status()[0].quarantined, ["on_poke"]);
    assert_eq!(world.kernel.status()[1].quarantined, [""; 0]);
    assert!(!poke(&world, Act::Return).await, "open");

    let cooldown = world.kernel.limits().breaker_cooldown;
    tokio::time::advance(cooldown).await;
    assert!(poke(&world, Act::Fail).await, "half open");
    assert!(!poke(&world, Act::Return).await, "open again");
    tokio::time::advance(cooldown).await;
    assert!(poke(&world, Act::Return).await, "half open");
    assert!(poke(&world, Act::Fail).await && poke(&world, Act::Return).await, "closed, and counting anew");
    assert_eq!(world.kernel.status()[0].quarantined, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn failures_far_apart_are_none_of_the_breakers_business() {
    let world = world().limits(|limits| limits.breaker_failures = 2).start().await;
    for _ in 0..5 {
        assert!(poke(&world, Act::Fail).await);
        tokio::time::advance(world.kernel.limits().breaker_window + Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_well_after_the_breaker_opened_does_not_close_it() {
    let world = world().limits(|limits| limits.breaker_failures = 2).start().await;
    world.kernel.emit(Poke::new("long").on("a").tell("alpha", Act::Wait(1_000)));
    world.kernel.emit(Poke::new("x").on("b").tell("alpha", Act::Fail));
    world.kernel.emit(Poke::new("x").on("c").tell("alpha", Act::Fail));
    world.kernel.idle().await;
    assert!(world.all_notes().contains(&"alpha a long waited".to_owned()));
    assert!(!poke(&world, Act::Return).await, "it opened and has not cooled down");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_is_enabled_again_is_not_in_quarantine() {
    let world = world().limits(|limits| limits.breaker_failures = 1).without("beta").start().await;
    assert!(poke(&world, Act::Fail).await);
    assert!(!poke(&world, Act::Return).await);
    world.kernel.disable("alpha").await.expect("nobody requires it");
    world.kernel.enable("alpha").await.expect("it can start");
    assert!(poke(&world, Act::Return).await);
}

#[tokio::test(start_paused = true)]
async fn a_fact_can_be_emitted_from_any_thread() {
    let world = world().start().await;
    world.notes();
    let kernel = world.kernel.clone();
    std::thread::spawn(move || kernel.emit(Poke::new("x"))).join().expect("emitting does not panic");
    world.kernel.idle().await;
    assert_eq!(world.notes(), ["alpha - x", "beta - x"]);
}

#[tokio::test(start_paused = true)]
async fn the_brakes_hold_for_what_waits_too() {
    let world = world().limits(|limits| limits.concurrency = 1).start().await;
    let flood = |label: &str| {
        world.kernel.emit(Poke::new(label).tell("alpha", Act::Wait(1_000)));
        world.kernel.emit(Poke::new(label));
    };
    flood("halted");
    world.until("alpha - halted").await;
    world.kernel.halt();
    world.emit(Poke::new("not while halted")).await;
    world.kernel.resume();
    flood("silenced");
    world.until("alpha - silenced").await;
    world.kernel.silence("alpha.poke").expect("an event");
    world.emit(Poke::new("not while silenced")).await;
    world.kernel.unsilence("alpha.poke").expect("an event");
    world.emit(Poke::new("free")).await;
    let mut notes = world.notes();
    notes.retain(|note| note.starts_with("alpha - "));
    assert_eq!(notes, ["alpha - halted", "alpha - halted waited", "alpha - silenced", "alpha - silenced waited", "alpha - free"]);
    let error = world.kernel.silence("alpha.pokes").expect_err("no such event");
    assert_eq!(error.to_string(), "no event `alpha.pokes` is linked: did you mean `alpha.poke`?");
}

#[test]
fn when_the_runtime_is_gone_nothing_waits_for_ever() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let first = runtime();
    let world = first.block_on(async {
        let world = world().limits(|limits| limits.concurrency = 1).start().await;
        world.kernel.emit(Poke::new("x").tell("alpha", Act::Hang));
        world.kernel.emit(Poke::new("y"));
        world.until("alpha - x").await;
        world
    });
    drop(first);
    world.kernel.emit(Poke::new("z").on("another session"));
    runtime().block_on(async {
        world.kernel.idle().await;
        world.kernel.disable("beta").await.expect("nobody requires it");
        world.kernel.stop().await;
    });
    assert!(!world.all_notes().contains(&"alpha - y".to_owned()));
}
