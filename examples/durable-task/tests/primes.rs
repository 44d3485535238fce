//! Runs of a task, as a test directs them: a first one, one that goes on after an end of the process, and a night later.

use std::time::Duration;

use durable_task::{Primes, SoFar};
use nekro_core::testing::{FakeRun, Host};
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[test]
fn a_count_writes_down_how_far_it_has_come() {
    let host = Host::of::<Primes>();
    let run = FakeRun::new().shared();
    let reply = host.run_task("count", json!({ "below": 30_000 }), &run).expect("a count");
    assert_eq!(reply.json, "3245");
    let percents: Vec<_> = run.told_progress().into_iter().map(|(percent, _)| percent).collect();
    assert_eq!(percents, [33, 66, 100]);
    assert_eq!(run.checkpoint_now(), Some(json!({ "next": 30_000, "primes": 3_245 })));
}

#[test]
fn a_count_goes_on_where_it_was_interrupted() {
    let host = Host::of::<Primes>();
    // Two hundred that are none show that nothing before is counted again.
    let run = FakeRun::new().resumed(&SoFar { next: 20_000, primes: 2_262 + 200 }).shared();
    let reply = host.run_task("count", json!({ "below": 30_000 }), &run).expect("a count");
    assert_eq!((reply.json.as_str(), run.told_progress().len()), ("3445", 1));
}

#[test]
fn a_model_starts_a_count_and_goes_on() {
    let host = Host::of::<Primes>();
    let started: serde_json::Value = host.call_as("count", json!({ "below": 100 })).expect("it is started");
    assert_eq!(started, json!({ "task": "t1" }));
    assert_eq!(host.started()[0].arguments, json!({ "below": 100 }));
    assert_eq!(host.call("count", json!({ "below": 1 })).expect_err("too few").code(), "invalid_arguments");
}

#[test]
fn counts_are_forgotten_after_a_week() {
    let host = Host::of::<Primes>();
    let count = |below: u32| host.run_task("count", json!({ "below": below }), &FakeRun::new().shared()).expect("a count");
    let known = |below: u32| host.call_as::<Option<u32>>("known", json!({ "below": below })).expect("an answer");
    let night = || host.run_task("forget", json!({}), &FakeRun::new().shared()).expect("a quiet night");
    count(100);
    host.advance(6 * DAY);
    count(1_000);
    night();
    assert_eq!((known(100), known(1_000)), (Some(25), Some(168)));
    host.advance(2 * DAY);
    night();
    assert_eq!((known(100), known(1_000)), (None, Some(168)));
}

#[test]
fn the_schedule_says_when_it_is_due() {
    let host = Host::of::<Primes>();
    let declared = host.kernel().registry().schedules();
    let schedule = declared[0].schedule().expect("a time that can be read");
    assert_eq!(schedule.name, "forget");
    assert_eq!(
        serde_json::to_value(&schedule.when).expect("JSON"),
        json!({ "cron": { "cron": "30 3 * * *", "zone": "Europe/Berlin" } })
    );
}
