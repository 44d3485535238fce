//! Programs that every system has, run for a plugin.

use std::ffi::OsStr;

use nekro_core::{ConfigDecl, Location, Process, ScopeDecl};
use tempfile::TempDir;

use super::*;
use crate::reach::files::FilesSettings;

const DECLARED: &[&str] = &["sh", "cat", "env", "/bin/echo", "no-such-program"];

static PLUGIN: PluginDecl = PluginDecl {
    id: "runner",
    docs: "",
    title: None,
    category: None,
    version: "1.0.0",
    authors: "",
    license: "",
    repository: "",
    package: "runner",
    requires: &[],
    scopes: &[ScopeDecl { capability: "process", entries: DECLARED }],
    migrations: &[],
    location: Location { file: "lib.rs", line: 1 },
    config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
};

struct World {
    place: TempDir,
    process: Process,
    files: Arc<LocalFiles>,
}

fn world(settings: &ProcessSettings) -> World {
    let place = tempfile::tempdir().expect("a directory");
    let files = Arc::new(LocalFiles::new(place.path(), &FilesSettings::default()));
    let programs = Programs::find([&&PLUGIN], env::var_os("PATH").as_deref());
    let process = Process::new(&PLUGIN, Arc::new(Runner::new(settings, programs, Arc::clone(&files))));
    World { place, process, files }
}

#[tokio::test]
async fn a_program_is_given_its_arguments_as_they_are() {
    let world = world(&ProcessSettings::default());
    let arguments = ["$HOME", "; rm -rf /", "`id`", "a  b", "*", "-n", "\n", ""];
    let output = world.process.command("/bin/echo").arg("x").args(arguments).run().await.expect("it runs");
    assert_eq!(output.text().expect("text"), "x $HOME ; rm -rf / `id` a  b * -n \n \n");
    assert_eq!(world.process.command("sh").arg("a\0b").run().await.expect_err("no argument").code(), "bad_request");
}

#[tokio::test]
async fn a_program_sees_nothing_of_the_agents_environment() {
    let world = world(&ProcessSettings::default());
    let output = world.process.command("env").env("GIT_TERMINAL_PROMPT", "0").run().await.expect("it runs");
    let mut names: Vec<_> = output.text().expect("text").lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["GIT_TERMINAL_PROMPT", "HOME", "LANG", "LC_ALL", "PATH", "TZ"]);
    for name in ["PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "HOME", "IFS", "", "A=B", "A B"] {
        let error = world.process.command("env").env(name, "x").run().await.expect_err(name);
        assert_eq!(error.code(), "bad_request", "{name}");
    }
}

#[tokio::test]
async fn a_program_runs_in_the_plugins_own_directory_or_below_it() {
    let world = world(&ProcessSettings::default());
    let own = std::fs::canonicalize(world.place.path()).expect("a path").join("plugins/runner");
    let run = |script: &str| world.process.command("sh").args(["-c", script]);
    let output = run("pwd; mkdir -p d; echo \"$HOME\"; ln -s / up; touch f").run().await.expect("it runs");
    assert_eq!(
        output.text().expect("text"),
        format!("{0}\n{1}\n", own.display(), world.place.path().join("plugins/runner").display())
    );
    let below = run("pwd").directory("d".parse().expect("a path")).run().await.expect("it runs");
    assert_eq!(below.text().expect("text"), format!("{}/d\n", own.display()));
    for (path, code) in [("up", "forbidden_path"), ("up/etc", "forbidden_path"), ("f", "not_found"), ("new", "not_found")] {
        let error = run("pwd").directory(path.parse().expect("a path")).run().await.expect_err(path);
        assert_eq!(error.code(), code, "{path}");
    }
}

#[tokio::test]
async fn a_program_reads_and_writes_and_ends_with_a_code() {
    let world = world(&ProcessSettings::default());
    let large = "0123456789".repeat(100_000);
    let output = world.process.command("cat").stdin(large.as_str()).run().await.expect("it runs");
    assert_eq!((output.code, output.stdout.len(), output.stdout_cut), (Some(0), 1_000_000, 0));
    // One that reads nothing of it.
    let output = world
        .process
        .command("sh")
        .args(["-c", "echo out; echo; echo err >&2; exit 3"])
        .stdin(large)
        .run()
        .await
        .expect("it runs");
    assert_eq!((output.code, output.stdout.as_slice(), output.stderr.as_slice()), (Some(3), &b"out\n\n"[..], &b"err\n"[..]));
    let error = output.success().expect_err("it failed");
    assert_eq!((error.code(), error.message()), ("process_failed", "`sh` ended with 3: err"));
    let output = world.process.command("sh").args(["-c", "kill -9 $$"]).run().await.expect("it runs");
    assert_eq!(output.success().expect_err("it failed").message(), "`sh` was ended by a signal");
}

#[tokio::test]
async fn more_output_than_is_kept_is_counted() {
    let world = world(&ProcessSettings { output_bytes: 5, ..ProcessSettings::default() });
    let output = world.process.command("sh").args(["-c", "printf 01234567; printf abcde >&2"]).run().await.expect("it runs");
    assert_eq!((output.stdout.as_slice(), output.stdout_cut, output.stderr_cut), (&b"01234"[..], 3, 0));
    let error = output.text().expect_err("it was cut");
    assert_eq!((error.code(), error.hint()), ("output_cut", Some("the limit is `process.output_bytes`")));
}

#[cfg(target_os = "linux")]
/// Waits until a process is gone. It is ended by a signal, which takes the system a moment.
async fn is_gone(id: &str) -> bool {
    for _ in 0..100_000 {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        // One that nobody waited for yet is as good as gone.
        if state.is_empty() || state.contains(") Z ") {
            return true;
        }
        tokio::task::spawn_blocking(std::thread::yield_now).await.expect("no panic");
    }
    false
}

#[cfg(target_os = "linux")]
/// A script that starts another program, which would outlive it, writes its number down, and never ends.
const STAYING: &str = "sleep 1000 & echo $! > child; mv child started; sleep 1000";

#[cfg(target_os = "linux")]
async fn is_started(world: &World) {
    while !world.place.path().join("plugins/runner/started").exists() {
        tokio::task::spawn_blocking(std::thread::yield_now).await.expect("no panic");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn at_the_deadline_everything_that_was_started_is_ended() {
    let world = world(&ProcessSettings::default());
    let run = world.process.command("sh").args(["-c", STAYING]).run();
    // From then on, the clock goes to the deadline as soon as there is nothing else to do.
    let (result, ()) = tokio::join!(run, async {
        is_started(&world).await;
        tokio::time::pause();
    });
    let error = result.expect_err("too slow");
    assert_eq!((error.code(), error.is_retryable()), ("timeout", true));
    let child = std::fs::read_to_string(world.place.path().join("plugins/runner/started")).expect("it was started");
    assert!(is_gone(&child).await, "{child}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn when_nobody_waits_any_more_everything_that_was_started_is_ended() {
    let world = world(&ProcessSettings::default());
    tokio::select! {
        _ = world.process.command("sh").args(["-c", STAYING]).run() => panic!("it never ends"),
        () = is_started(&world) => {}
    }
    let child = std::fs::read_to_string(world.place.path().join("plugins/runner/started")).expect("it was started");
    assert!(is_gone(&child).await, "{child}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_program_leaves_running_ends_with_it() {
    let world = world(&ProcessSettings::default());
    let output = world.process.command("sh").args(["-c", "sleep 1000 & echo $!"]).run().await.expect("it ends");
    assert!(is_gone(output.text().expect("a number")).await);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_has_no_more_memory_than_it_may() {
    let world = world(&ProcessSettings { memory_bytes: 64 * 1024 * 1024, ..ProcessSettings::default() });
    let script = "ulimit -v; ulimit -c";
    let output =
        world.process.command("sh").args(["-c", &format!("read x; {script}")]).stdin("go\n").run().await.expect("it runs");
    assert_eq!(output.text().expect("text"), "65536\n0\n");
}

#[tokio::test]
async fn a_program_that_is_not_declared_or_not_installed_is_refused() {
    let world = world(&ProcessSettings::default());
    for program in ["ls", "/bin/sh", "", "../sh", "sh -c"] {
        assert_eq!(world.process.command(program).run().await.expect_err(program).code(), "out_of_scope", "{program}");
    }
    let error = world.process.command("no-such-program").run().await.expect_err("it is not there");
    assert_eq!(error.code(), "no_program");
    assert!(world.files.path(&FilePlace::Own("runner".into())).is_ok());
}

#[test]
fn programs_are_looked_for_once_in_the_operators_path() {
    let place = tempfile::tempdir().expect("a directory");
    std::fs::write(place.path().join("cat"), "no program").expect("a file");
    let path = env::join_paths([place.path(), ".".as_ref(), "/bin".as_ref()]).expect("a path");
    let programs = Programs::find([&&PLUGIN], Some(&path));
    assert_eq!(programs.get("cat"), Some("/bin/cat".as_ref()), "a file that may not be run is no program");
    assert_eq!(programs.missing().collect::<Vec<_>>(), ["no-such-program"]);
    let nowhere = Programs::find([&&PLUGIN], Some(OsStr::new("")));
    assert_eq!(nowhere.missing().collect::<Vec<_>>(), ["cat", "env", "no-such-program", "sh"]);
}
