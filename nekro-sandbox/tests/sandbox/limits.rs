//! Each limit, its error, and that it names the limit.

use std::{sync::atomic::Ordering, time::Duration};

use nekro_sandbox::{Limit, Limits, Outcome, Script, State};

use crate::world::{self, World, run, run_script, sandbox, script, value};

#[track_caller]
fn check(limit: Limit, set: impl FnOnce(&mut Limits), source: &str) {
    let mut script = script(source);
    set(&mut script.limits);
    let report = run_script(&script);
    let Outcome::Limit(met, message) = &report.outcome else { panic!("{limit}: {report:?}") };
    assert_eq!(*met, limit);
    assert!(message.contains(&format!("`sandbox.limits.{limit}`")), "{message}");
    assert_eq!(value("1 + 1"), "2", "the next script runs");
}

pub(crate) fn every_limit_ends_the_script_and_is_named() {
    let nested = "v = []\nfor i in range(100):\n    v = [v]\necho(v)";
    check(Limit::WallTime, |limits| limits.wall_time = Duration::from_millis(200), "import time\ntime.sleep(60)");
    check(Limit::WallTime, |limits| limits.wall_time = Duration::from_millis(200), "hang()");
    check(
        Limit::CpuTime,
        |limits| limits.cpu_time = Duration::from_millis(200),
        "while True:\n    try:\n        pass\n    except BaseException:\n        pass",
    );
    check(Limit::Source, |limits| limits.source = 10, "print('longer than ten')");
    check(Limit::Output, |limits| limits.output = 10_000, "while True:\n    print('x' * 100)");
    check(Limit::Output, |limits| limits.output = 10_000, "print('x' * 100000)");
    check(
        Limit::Calls,
        |limits| limits.calls = 10,
        "while True:\n    try:\n        add(1, 2)\n    except BaseException:\n        pass",
    );
    check(Limit::Calls, |limits| limits.calls = 10, "import asyncio\nawait asyncio.gather(*[add(1, i) for i in range(11)])");
    check(Limit::Message, |limits| limits.message = 10_000, "echo('x' * 100000)");
    check(Limit::Depth, |limits| limits.depth = 50, nested);
    check(Limit::Values, |limits| limits.values = 1_000, "echo(list(range(2000)))");
}

pub(crate) fn a_limit_on_one_call_is_an_error_that_names_it() {
    for (source, limit) in [("echo('x' * 2_000_000)", "arguments"), ("large(bytes=5_000_000)", "answer")] {
        let caught = format!("try:\n    {source}\nexcept errors.TooLarge as e:\n    r = e.message\nr");
        assert!(value(&caught).contains(&format!("`sandbox.limits.{limit}`")), "{source}");
    }
}

pub(crate) fn memory_is_limited_and_its_error_names_the_limit() {
    let mut large = script("x = 'x' * (100 << 20)\nlen(x)");
    assert!(matches!(run_script(&large).outcome, Outcome::Done(_)), "within the limit it is allowed");
    large.limits.memory = 64 << 20;
    let Outcome::Failed(failure) = run_script(&large).outcome else { panic!("it fails") };
    assert_eq!(failure.kind, "MemoryError");
    assert!(failure.hint.is_some_and(|hint| hint.contains("`sandbox.limits.memory`")));
}

pub(crate) fn what_is_kept_is_limited() {
    let mut keeping = Script { state: Some(State::default()), ..script("x = 'x' * 100_000") };
    keeping.limits.state = 10_000;
    assert!(
        matches!(run_script(&keeping).outcome, Outcome::Limit(Limit::State, message) if message.contains("sandbox.limits.state"))
    );
}

pub(crate) fn only_so_many_calls_are_under_way_at_the_same_time() {
    let mut many = script("import asyncio\nlen(await asyncio.gather(*[meet(i) for i in range(40)]))");
    many.limits.calls_at_once = 10;
    let world = World::new();
    let report = world::runtime().block_on(sandbox().run(&many, &world)).expect("it runs");
    assert!(matches!(report.outcome, Outcome::Done(Some(value)) if value.text == "40"));
    assert_eq!(world.most.load(Ordering::Relaxed), 10);
}

pub(crate) fn a_value_that_is_too_long_is_told_by_its_text_alone() {
    let mut long = script("'x' * 100_000");
    long.limits.value = 1_000;
    let Outcome::Done(Some(value)) = run_script(&long).outcome else { panic!("it is done") };
    assert!(value.json.is_none() && value.text.contains("left out"));
}

pub(crate) fn what_was_printed_before_the_end_is_not_lost() {
    let mut endless = script("print('so far')\nwhile True: pass");
    endless.limits.cpu_time = Duration::from_millis(100);
    assert_eq!(run_script(&endless).output, "so far\n");
    assert_eq!(run("print('so far', end='')\nhang_on = 1").output, "so far");
}
