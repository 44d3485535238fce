//! What a script costs, beside CPython in a fresh process and a bare round trip over a pair of sockets: `cargo bench -p nekro-sandbox`.
//!
//! Prints a table in Markdown, which `docs/sandbox.md` holds.

use std::{
    fs,
    io::{Read, Write},
    os::{fd::AsFd, fd::OwnedFd, unix::net::UnixStream as BlockingStream},
    pin::Pin,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use nekro_sandbox::{Answer, Call, CallError, Function, Functions, Host, Outcome, Parameter, Sandbox, Script, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

struct Sum;

impl Host for Sum {
    fn call<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>> {
        Box::pin(async move {
            let arguments: serde_json::Value = serde_json::from_str(call.arguments.get()).unwrap_or_default();
            Answer::value(&(arguments["a"].as_i64().unwrap_or(0) + arguments["b"].as_i64().unwrap_or(0)))
        })
    }
}

fn functions() -> Arc<Functions> {
    let parameter = |name: &str| Parameter {
        name: name.into(),
        description: String::new(),
        schema: serde_json::Value::Null,
        optional: false,
    };
    let add = Function {
        name: "math.add".into(),
        description: String::new(),
        parameters: vec![parameter("a"), parameter("b")],
        returns: None,
    };
    Arc::new(Functions::new(vec![add]).expect("there is one"))
}

/// Median, 99th percentile and smallest of some times.
struct Times(Vec<Duration>);

impl Times {
    fn of(count: usize, mut once: impl FnMut()) -> Self {
        let time = |_| {
            let start = Instant::now();
            once();
            start.elapsed()
        };
        Self((0..count).map(time).collect()).sorted()
    }

    fn sorted(mut self) -> Self {
        self.0.sort();
        self
    }

    fn row(&self, what: &str, goal: &str) {
        let at = |part: usize| self.0[(self.0.len() - 1) * part / 100];
        println!("| {what} | {:.1?} | {:.1?} | {:.1?} | {goal} |", self.0[0], at(50), at(99));
    }
}

fn main() {
    nekro_sandbox::worker_main_if_asked();
    if std::env::args().nth(1).as_deref() == Some("echo") {
        return echo();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("there is a runtime");
    println!("| | least | median | p99 | goal |\n|---|--:|--:|--:|--:|");
    let python = |arguments: &[&str]| {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        move || {
            let status = Command::new("python3").args(&arguments).stdout(Stdio::null()).status();
            assert!(status.is_ok_and(|status| status.success()), "python3 runs");
        }
    };
    Times::of(20, python(&["-I", "-S", "-c", "1 + 1"])).row("CPython in a fresh process, nothing imported", "");
    Times::of(20, python(&["-c", "import json, re, datetime, asyncio"])).row("the same, with json, re, datetime, asyncio", "");
    runtime.block_on(round_trips()).row("bare round trip over a pair of sockets", "");

    let started = Instant::now();
    let sandbox = runtime.block_on(Sandbox::start(Settings::default())).expect("it starts");
    println!("| first start: image unpacked, first worker ready | | {:.1?} | | |", started.elapsed());
    let functions = functions();
    let run = |sandbox: &Sandbox, source: &str| {
        let mut script = Script::new(source, functions.clone());
        script.limits.calls = 100_000;
        match runtime.block_on(sandbox.run(&script, &Sum)).expect("it runs").outcome {
            Outcome::Done(Some(value)) => value.text,
            other => panic!("{other:?}"),
        }
    };
    let first = Instant::now();
    run(&sandbox, "1 + 1");
    println!("| first script | | {:.1?} | | |", first.elapsed());
    Times::of(20, || drop(runtime.block_on(Sandbox::start(Settings::default())).expect("it starts")))
        .row("a worker, from exec to ready", "5 ms");
    Times::of(20, || {
        let sandbox = runtime.block_on(Sandbox::start(Settings::default())).expect("it starts");
        run(&sandbox, "1 + 1");
    })
    .row("the same, with the whole of a script that comes at once", "");
    let warm = (0..300).map(|_| {
        // The worker makes its next interpreter ready meanwhile.
        std::thread::sleep(Duration::from_millis(5));
        let begun = Instant::now();
        run(&sandbox, "1 + 1");
        begun.elapsed()
    });
    Times(warm.collect()).sorted().row("a warm script: `1 + 1`", "2 ms");
    Times::of(300, || {
        run(&sandbox, "1 + 1");
    })
    .row("the same, one right after the other on one worker", "");

    let calls = "\
import json
from time import perf_counter_ns as now
times = []
for i in range(5000):
    start = now()
    math.add(a=i, b=1)
    times.append(now() - start)
json.dumps(times)";
    let times: Vec<u64> = serde_json::from_str(&run_long(&runtime, &sandbox, &functions, calls)).expect("a list of times");
    Times(times.into_iter().map(Duration::from_nanos).collect()).sorted().row("a call, seen from Python", "15 µs");
    Times::of(10, || {
        run(&sandbox, "for i in range(1000):\n    math.add(a=i, b=1)\n1");
    })
    .row("1,000 calls in a loop", "");
    Times::of(10, || {
        run(&sandbox, "import asyncio\nlen(await asyncio.gather(*[math.add(a=i, b=1) for i in range(1000)]))");
    })
    .row("1,000 gathered calls", "");

    let mut wide = Settings::default();
    wide.queue = 100;
    let wide = runtime.block_on(Sandbox::start(wide)).expect("it starts");
    let script = Script::new("sum(math.add(a=i, b=1) for i in range(10))", functions.clone());
    Times::of(5, || {
        let all = futures_util::future::join_all((0..100).map(|_| wide.run(&script, &Sum)));
        assert!(runtime.block_on(all).iter().all(Result::is_ok));
    })
    .row("100 scripts of ten calls at once", "");
    for process in wide.idle() {
        let memory = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let of = |name: &str| {
            let line = memory.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
        };
        println!(
            "| memory of an idle worker, its own (all with what it shares) | | {:.1} MiB ({:.1} MiB) | | 6 MiB |",
            of("Anonymous:"),
            of("Rss:")
        );
    }
}

/// As `run`, with all of a long value.
fn run_long(runtime: &tokio::runtime::Runtime, sandbox: &Sandbox, functions: &Arc<Functions>, source: &str) -> String {
    let mut script = Script::new(source, functions.clone());
    script.limits.calls = 100_000;
    script.limits.shown_value = 1 << 20;
    match runtime.block_on(sandbox.run(&script, &Sum)).expect("it runs").outcome {
        Outcome::Done(Some(value)) => value.text,
        other => panic!("{other:?}"),
    }
}

/// The other end of a bare round trip.
fn echo() {
    let socket: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
    let mut socket = fs::File::from(socket);
    let mut bytes = [0; 64];
    while socket.read_exact(&mut bytes).is_ok() && socket.write_all(&bytes).is_ok() {}
}

async fn round_trips() -> Times {
    let (ours, theirs) = BlockingStream::pair().expect("there are sockets");
    let mut child = Command::new("/proc/self/exe").arg("echo").stdin(OwnedFd::from(theirs)).spawn().expect("it starts");
    ours.set_nonblocking(true).expect("it can be");
    let mut socket = UnixStream::from_std(ours).expect("there is a runtime");
    let mut bytes = [0; 64];
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let start = Instant::now();
        socket.write_all(&bytes).await.expect("it listens");
        socket.read_exact(&mut bytes).await.expect("it answers");
        times.push(start.elapsed());
    }
    drop(socket);
    child.wait().expect("it ends");
    Times(times).sorted()
}
