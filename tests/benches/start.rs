//! From `exec` to ready and back: the `nekro` program, against a program that does nothing and one that only starts tokio.
//!
//! `nekro plugins --json` starts every bundled plugin, prints the list and ends, so its whole run is an upper bound of the start.

mod measure;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use measure::Table;
use serde_json::Value;

// This program runs itself with it, to be the second baseline.
const HELLO: &str = "--only-start-tokio";

fn main() {
    if std::env::args().any(|argument| argument == HELLO) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
        return runtime.block_on(async { println!("hello") });
    }
    let mut table = Table::new("start", &["From exec to exit", "baseline", "nekro", "ratio", "goal"]);
    if table.is_trial() {
        return;
    }
    let Some(nekro) = nekro() else { return eprintln!("start: nothing to measure, for `nekro` could not be built") };
    let start = || Command::new(&nekro).args(["plugins", "--json"]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !start().is_ok_and(|status| status.success()) {
        return eprintln!("start: nothing to measure, for `nekro plugins --json` fails");
    }
    let this = std::env::current_exe().expect("this program has a path");
    let run = |command: &mut Command| {
        let status = command.stdout(Stdio::null()).status().expect("the program is there");
        assert!(status.success());
    };
    let subject = || run(Command::new(&nekro).args(["plugins", "--json"]).stdin(Stdio::null()));
    table.compare("`nekro plugins --json`, against `true`", "nekro < 20 ms", 1, || run(&mut Command::new("true")), subject);
    table.compare(
        "`nekro plugins --json`, against tokio alone",
        "nekro < 20 ms",
        1,
        || run(Command::new(&this).arg(HELLO)),
        subject,
    );
    table.finish();
}

/// Builds the program, and returns where it is.
fn nekro() -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--release", "--quiet", "--package", "nekro-agent", "--bin", "nekro", "--message-format", "json"];
    let output =
        Command::new(cargo).current_dir(env!("CARGO_MANIFEST_DIR")).args(build).stderr(Stdio::inherit()).output().ok()?;
    let messages = String::from_utf8(output.stdout).ok()?;
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}
