//! Workers come and go, and nothing of them stays.

use std::{
    fs,
    future::poll_fn,
    pin::Pin,
    process::Command,
    sync::atomic::Ordering,
    task::Poll,
    time::{Duration, Instant},
};

use nekro_sandbox::{Outcome, Require, SandboxError, Settings};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::world::{World, runtime, script, settings, start};

fn kill(process: u32) {
    kill_process(pid(process), Signal::KILL).expect("it is there");
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(process.cast_signed()).expect("it is no zero")
}

/// Waits until something is so; for processes, which have no clock to pause.
#[track_caller]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

/// Lets a future go on for a moment, and tells whether it waits again.
async fn waits(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

fn text(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Done(Some(value)) => &value.text,
        other => panic!("{other:?}"),
    }
}

fn children() -> usize {
    let me = std::process::id();
    fs::read_to_string(format!("/proc/{me}/task/{me}/children")).map_or(0, |list| list.split_whitespace().count())
}

pub(crate) fn a_worker_that_dies_while_it_waits_is_replaced_unnoticed() {
    let sandbox = start(settings());
    kill(sandbox.idle()[0]);
    let process = sandbox.idle()[0];
    until("it is gone", || {
        fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z"))
            || test_kill_process(pid(process)).is_err()
    });
    let report = runtime().block_on(sandbox.run(&script("1 + 1"), &World::new())).expect("it runs");
    assert_eq!(text(&report.outcome), "2");
}

pub(crate) fn what_a_worker_rehearses_while_it_waits_is_seen_by_no_script() {
    let sandbox = start(settings());
    let looks =
        script("import linecache, sys\n['f' in globals(), list(linecache.cache), vars(sys.modules['__main__']) is globals()]");
    for _ in 0..2 {
        let process = sandbox.idle()[0];
        until("it waits", || fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") S")));
        let report = runtime().block_on(sandbox.run(&looks, &World::new())).expect("it runs");
        assert_eq!(text(&report.outcome), "[False, ['script.py'], True]");
    }
}

pub(crate) fn a_worker_that_is_killed_in_a_call_ends_its_script_only() {
    let sandbox = start(settings());
    let process = sandbox.idle()[0];
    let world = World::new();
    let hanging = script("hang()");
    let report = runtime().block_on(async {
        let run = sandbox.run(&hanging, &world);
        let killer = async {
            while world.busy.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            kill(process);
        };
        tokio::join!(run, killer).0.expect("it runs")
    });
    assert!(matches!(&report.outcome, Outcome::Crashed(why) if why.contains("killed")), "{:?}", report.outcome);
    let report = runtime().block_on(sandbox.run(&script("1 + 1"), &world)).expect("it runs");
    assert_eq!(text(&report.outcome), "2");
}

pub(crate) fn a_run_that_is_dropped_takes_its_worker_with_it() {
    let sandbox = start(settings());
    let process = sandbox.idle()[0];
    let world = World::new();
    runtime().block_on(async {
        let hanging = script("hang()");
        let run = sandbox.run(&hanging, &world);
        let begun = async {
            while world.busy.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = run => panic!("it never ends"), () = begun => {} }
    });
    until("the worker is gone", || test_kill_process(pid(process)).is_err());
}

pub(crate) fn a_worker_is_replaced_when_it_is_worn_or_old() {
    let mut worn = settings();
    worn.worker_scripts = 2;
    let mut old = settings();
    old.worker_age = Duration::ZERO;
    for (settings, same) in [(worn, [true, false]), (old, [false, false])] {
        let sandbox = start(settings);
        let mut before = sandbox.idle()[0];
        for same in same {
            runtime().block_on(sandbox.run(&script("1"), &World::new())).expect("it runs");
            until("a worker waits", || !sandbox.idle().is_empty());
            let now = sandbox.idle()[0];
            assert_eq!(now == before, same);
            before = now;
        }
    }
}

pub(crate) fn a_full_queue_refuses_and_names_itself() {
    let mut small = settings();
    small.workers = 1;
    small.queue = 1;
    let sandbox = start(small);
    let world = World::new();
    runtime().block_on(async {
        let hanging = script("hang()");
        let (first, second) = (sandbox.run(&hanging, &world), sandbox.run(&hanging, &world));
        tokio::pin!(first, second);
        while world.busy.load(Ordering::Relaxed) == 0 {
            assert!(waits(first.as_mut()).await);
            tokio::task::yield_now().await;
        }
        assert!(waits(second.as_mut()).await, "one may wait");
        let third = sandbox.run(&hanging, &world).await;
        let error = third.expect_err("two may not");
        assert!(matches!(error, SandboxError::Busy { queue: 1 }) && error.to_string().contains("`sandbox.queue`"), "{error}");
    });
    let report = runtime().block_on(sandbox.run(&script("'again'"), &world)).expect("there is room again");
    assert_eq!(text(&report.outcome), "again");
}

pub(crate) fn a_hundred_scripts_at_once_are_all_right_and_leave_nothing() {
    let descriptors = || fs::read_dir("/proc/self/fd").expect("it is there").count();
    let (before, processes) = (descriptors(), children());
    let mut wide = settings();
    wide.queue = 100;
    let sandbox = start(wide);
    let world = World::new();
    let scripts: Vec<_> = (0..100).map(|i| script(&format!("add({i}, 1)"))).collect();
    let reports = runtime().block_on(futures_util::future::join_all(scripts.iter().map(|script| sandbox.run(script, &world))));
    for (i, report) in reports.iter().enumerate() {
        assert_eq!(text(&report.as_ref().expect("it runs").outcome), (i + 1).to_string());
    }
    drop(sandbox);
    until("no descriptor stays", || descriptors() <= before);
    until("no process stays", || children() <= processes);
}

/// What [`workers_end_with_their_host`] starts: a host whose worker hangs.
pub(crate) fn be_a_host() {
    let sandbox = start(settings());
    println!("{}", sandbox.idle()[0]);
    _ = runtime().block_on(sandbox.run(&script("while True: pass"), &World::new()));
}

pub(crate) fn workers_end_with_their_host() {
    use std::io::{BufRead, BufReader};
    let mut host =
        Command::new("/proc/self/exe").arg("be-a-host").stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(host.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says who works for it");
    let worker: u32 = line.trim().parse().expect("a process id");
    assert!(test_kill_process(pid(worker)).is_ok());
    host.kill().expect("it is there");
    host.wait().expect("it ends");
    until("the worker is gone", || test_kill_process(pid(worker)).is_err());
}

pub(crate) fn a_machine_that_confines_too_little_is_refused_and_the_way_out_is_said() {
    let mut lacking = Settings::default();
    lacking.require = Require::Full;
    let confinement = start(settings()).confinement().clone();
    assert_eq!(Require::Full.lacks(&confinement), [], "this machine has every layer");
    lacking.play = "unconfined".into();
    let error = runtime().block_on(nekro_sandbox::Sandbox::start(lacking)).expect_err("it lacks everything");
    assert!(error.to_string().contains("system_calls") && error.hint().is_some(), "{error}");
}
