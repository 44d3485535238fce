//! What it costs to keep something: the database of the agent, against plain `rusqlite` with the same tables and the same promise.

#[path = "../../tests/benches/measure/mod.rs"]
mod measure;

use std::{cell::Cell, sync::Arc};

use measure::Table;
use nekro_agent::bench::Kept;
use nekro_core::{Expected, Scope};
use rusqlite::{Connection, params};
use tokio::runtime::Runtime;

const ROWS: usize = 10_000;
const AT_ONCE: usize = 16;
const VALUE: &str = r#"{"text":"buy milk, eggs and bread, and do not forget the flour","saved":"2026-01-02T03:04:05Z","n":1}"#;

fn main() {
    let mut table = Table::new("storage", &["Keeping and finding", "rusqlite", "nekro", "ratio", "goal"]);
    let rows = if table.is_trial() { 200 } else { ROWS };
    let place = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("threads can be started");
    let kept = Arc::new(Kept::new(place.path().join("data")));
    let plain = plain(place.path().join("plain.db"));
    fill(&runtime, &kept, &plain, rows);
    let store = kept.store();
    let scope = Scope { plugin: "notes".into(), session: None, user: None };
    let text = "x".repeat(200);
    let number = Cell::new(0);
    let append = || {
        number.set(number.get() + 1);
        plain.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).expect("it begins");
        plain
            .prepare_cached("INSERT INTO message (session, number, id, at, hidden, body) VALUES ('s', ?, ?, 0, 0, ?)")
            .and_then(|mut insert| insert.execute(params![number.get(), format!("s-message-{}", number.get()), text]))
            .expect("it is written");
        plain
            .prepare_cached("UPDATE session SET messages = ?, used = 0 WHERE name = 's'")
            .and_then(|mut update| update.execute([number.get()]))
            .expect("it is written");
        plain.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).expect("it is on the disk");
    };
    table.compare("appending a message", "–", 1, append, || {
        runtime.block_on(kept.append("s", &text)).expect("it is written");
    });
    table.compare(
        "appending a message, 16 at once",
        "–",
        AT_ONCE as u32,
        || (0..AT_ONCE).for_each(|_| append()),
        || {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..AT_ONCE)
                    .map(|_| {
                        let (kept, text) = (Arc::clone(&kept), text.clone());
                        tokio::spawn(async move { kept.append("s", &text).await.map(drop) })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("it does not panic").expect("it is written");
                }
            });
        },
    );
    let key = key(rows / 2);
    table.compare(
        "writing a value",
        "–",
        1,
        || {
            plain
                .prepare_cached(
                    "INSERT INTO value VALUES ('notes', '', '', ?, ?, 1)
                     ON CONFLICT DO UPDATE SET json = excluded.json, version = version + 1",
                )
                .and_then(|mut insert| insert.execute(params![key, VALUE]))
                .map(drop)
                .expect("it is on the disk");
        },
        || {
            let put = store.put(&scope, &key, Expected::Any, Some(VALUE.to_owned().into()));
            assert!(runtime.block_on(put).expect("it is written"));
        },
    );
    table.compare(
        "reading a value",
        "–",
        1,
        || {
            let found: (String, i64) = plain
                .prepare_cached(
                    "SELECT json, version FROM value WHERE plugin = 'notes' AND session = '' AND user = '' AND key = ?",
                )
                .and_then(|mut find| find.query_row([&key], |row| Ok((row.get(0)?, row.get(1)?))))
                .expect("it is there");
            std::hint::black_box(found);
        },
        || {
            std::hint::black_box(runtime.block_on(store.get(&scope, &key)).expect("it is read").expect("it is there"));
        },
    );
    table.compare(
        "listing 100 values by their prefix",
        "–",
        1,
        || {
            let mut find = plain
                .prepare_cached(
                    "SELECT key, json, version FROM value
                     WHERE plugin = 'notes' AND session = '' AND user = '' AND key >= ? ORDER BY key LIMIT 100",
                )
                .expect("it is a query");
            let found: Vec<(String, String, i64)> = find
                .query_map(["note/001"], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .and_then(Iterator::collect)
                .expect("it is read");
            assert_eq!(std::hint::black_box(found).len(), 100);
        },
        || {
            let page = runtime.block_on(store.list(&scope, "note/001", None, 100)).expect("it is read");
            assert_eq!(std::hint::black_box(page).items.len(), 100);
        },
    );
    table.finish();
}

fn key(number: usize) -> String {
    format!("note/{number:05}")
}

fn plain(path: std::path::PathBuf) -> Connection {
    let plain = Connection::open(path).expect("a database");
    plain.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).expect("it has a log of changes");
    plain.pragma_update(None, "synchronous", "full").expect("it waits for the disk");
    plain.pragma_update_and_check(None, "wal_autocheckpoint", 2_000, |_| Ok(())).expect("it is set");
    plain.execute_batch(include_str!("../src/storage/schema/1.sql")).expect("the same tables");
    plain.execute_batch("INSERT INTO session VALUES ('s', 0, 0, 0, 0, '{}')").expect("a session");
    plain
}

fn fill(runtime: &Runtime, kept: &Arc<Kept>, plain: &Connection, rows: usize) {
    plain.execute_batch("BEGIN").expect("it begins");
    for number in 0..rows {
        plain
            .prepare_cached("INSERT INTO value VALUES ('notes', '', '', ?, ?, 1)")
            .and_then(|mut insert| insert.execute(params![key(number), VALUE]))
            .expect("it is written");
    }
    plain.execute_batch("COMMIT").expect("it is on the disk");
    runtime.block_on(async {
        let scope = Scope { plugin: "notes".into(), session: None, user: None };
        let mut tasks = Vec::new();
        for number in 0..rows {
            let (store, scope) = (kept.store(), scope.clone());
            tasks.push(tokio::spawn(async move {
                store.put(&scope, &key(number), Expected::Any, Some(VALUE.to_owned().into())).await.map(drop)
            }));
        }
        for task in tasks {
            task.await.expect("it does not panic").expect("it is written");
        }
    });
}
