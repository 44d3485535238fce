//! What it costs to run small tasks, each kept before it begins and when it ends, against the changes of the database that this takes.

#[path = "../../tests/benches/measure/mod.rs"]
mod measure;

use std::time::Instant;

use measure::Table;
use nekro_agent::bench::Working;
use nekro_core::{kernel::Registry, prelude::*};
use rusqlite::{Connection, params};

/// What is measured.
#[plugin(id = "bench")]
pub struct Bench;

/// Does next to nothing.
#[task]
async fn small(
    /// A number.
    number: u32,
) -> u32 {
    number
}

/// Does next to nothing, and has that told.
#[task(on_terminal = told)]
async fn followed(
    /// A number.
    number: u32,
) -> u32 {
    number
}

/// Is told.
#[task]
async fn told(
    /// How it ended.
    end: TaskEnd,
) -> Result<()> {
    drop(end);
    Ok(())
}

const TASKS: u32 = 500;

/// How many writes of the agent's wait for the disk together, at most.
const TOGETHER: usize = 256;

/// How often each side has its turn; the quickest one counts.
const ROUNDS: usize = 3;

fn main() {
    let mut table = Table::new("tasks", &["Small tasks, each from its start to its end", "rusqlite", "nekro", "ratio", "goal"]);
    let (tasks, rounds) = if table.is_trial() { (20, 1) } else { (TASKS, ROUNDS) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    for (row, at_once, together, is_followed) in [
        ("one after the other; a commit to a change", 0, 1, false),
        ("many; a commit to a change", 16, 1, false),
        ("many, and what is started at the end; a commit to a change", 16, 1, true),
        ("many; 256 changes to a commit", 256, TOGETHER, false),
        ("many, and what is started at the end; 256 changes to a commit", 256, TOGETHER, true),
    ] {
        if !table.wants(row) {
            continue;
        }
        let tasks = if at_once == 0 { tasks / 10 } else { tasks };
        let mut best = [f64::MAX; 2];
        for _ in 0..rounds {
            best[0] = best[0].min(by_hand(tasks, together, is_followed));
            best[1] = best[1].min(runtime.block_on(nekro(tasks, at_once, is_followed)));
        }
        let [by_hand, nekro] = best.map(|seconds| seconds / f64::from(tasks));
        table.ratio(row, by_hand, nekro, "–");
    }
    table.finish();
}

/// Runs tasks, and returns the seconds that it took. With none at once, each waits for the one before.
async fn nekro(count: u32, at_once: usize, is_followed: bool) -> f64 {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::linked().expect("the declarations fit together");
    let working = Working::start(registry, place.path().join("data"), at_once.max(1)).await;
    let tasks = working.tasks("bench");
    let start = |number: u32| {
        let tasks = tasks.clone();
        async move { if is_followed { tasks.start(followed { number }).await } else { tasks.start(small { number }).await } }
    };
    // The first makes the database.
    start(0).await.expect("it is started");
    working.idle("bench").await;
    let began = Instant::now();
    if at_once == 0 {
        for number in 0..count {
            start(number).await.expect("it is started");
            working.idle("bench").await;
        }
    } else {
        let started: Vec<_> = (0..count).map(|number| tokio::spawn(start(number))).collect();
        for one in started {
            one.await.expect("it does not panic").expect("it is started");
        }
        working.idle("bench").await;
    }
    let taken = began.elapsed().as_secs_f64();
    working.stop().await;
    taken
}

/// Makes the changes that so many tasks take at the least: one is written down, taken, and ended.
fn by_hand(count: u32, together: usize, is_followed: bool) -> f64 {
    let place = tempfile::tempdir().expect("a directory");
    let plain = plain(place.path().join("plain.db"));
    let began = Instant::now();
    let mut waiting = 0;
    // All are written down, then all are taken, then all end: so that whole commits are filled, as when many are under way.
    for change in 0..if is_followed { 5 } else { 3 } {
        for number in 1..=count {
            if waiting == 0 {
                plain.execute_batch("BEGIN IMMEDIATE").expect("it begins");
            }
            let number = i64::from(number);
            match change {
                0 => write(&plain, number, "small"),
                1 => take(&plain, number),
                2 => {
                    end(&plain, number);
                    if is_followed {
                        write(&plain, number + i64::from(count), "told");
                    }
                }
                3 => take(&plain, number + i64::from(count)),
                _ => end(&plain, number + i64::from(count)),
            }
            waiting += 1;
            if waiting == together {
                plain.execute_batch("COMMIT").expect("it is on the disk");
                waiting = 0;
            }
        }
    }
    if waiting > 0 {
        plain.execute_batch("COMMIT").expect("it is on the disk");
    }
    began.elapsed().as_secs_f64()
}

fn write(plain: &Connection, number: i64, name: &str) {
    let insert = "INSERT INTO task (number, plugin, name, arguments, caller, state, due, tell, created)
         VALUES (?, 'bench', ?, '{\"number\":1}', '{\"origin\":\"operator\",\"role\":\"admin\"}', 'queued', 0, 0, 0)";
    plain.prepare_cached(insert).and_then(|mut insert| insert.execute(params![number, name])).expect("it is written");
}

fn take(plain: &Connection, number: i64) {
    let take =
        "UPDATE task SET state = 'running', owner = 'bench', lease = 1, epoch = epoch + 1 WHERE number = ? AND state = 'queued'";
    plain.prepare_cached(take).and_then(|mut take| take.execute([number])).expect("it is written");
}

fn end(plain: &Connection, number: i64) {
    let end = "UPDATE task SET state = 'succeeded', ended = 1, result = '1', owner = NULL, lease = NULL, percent = 100 WHERE number = ? AND ended IS NULL";
    plain.prepare_cached(end).and_then(|mut end| end.execute([number])).expect("it is written");
}

/// Opens a database with the tables of the agent and set up as its own is.
fn plain(path: std::path::PathBuf) -> Connection {
    let plain = Connection::open(path).expect("a database");
    plain.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).expect("it has a log of changes");
    plain.pragma_update(None, "synchronous", "full").expect("it waits for the disk");
    plain.pragma_update_and_check(None, "wal_autocheckpoint", 2_000, |_| Ok(())).expect("it is set");
    plain.execute_batch(include_str!("../src/storage/schema/4.sql")).expect("the same tables");
    plain
}
