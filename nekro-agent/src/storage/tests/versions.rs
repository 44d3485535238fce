//! Files of other versions.

use rusqlite::Connection;

use super::Place;
use crate::{
    history::{HistoryPort, rules::says},
    storage::{
        StorageError, database,
        migration::{self, STEPS, State, VERSION},
    },
};

/// A database as version 1 left it: what must be there in every later version.
const OF_VERSION_1: &str = include_str!("version-1.sql");

fn old_file(place: &Place) -> Connection {
    std::fs::create_dir_all(place.directory().path()).expect("a directory");
    let connection = Connection::open(place.directory().database()).expect("a database");
    connection.execute_batch(OF_VERSION_1).expect("the file of version 1");
    connection
}

#[tokio::test]
async fn a_file_of_version_1_is_read_and_written() {
    let place = Place::new();
    drop(old_file(&place));
    let storage = place.storage();
    let messages = storage.messages(&"terminal".into(), None, 10, true).await.expect("it lists");
    assert_eq!(messages.len(), 2);
    assert_eq!(storage.append(&"terminal".into(), vec![says("hello")]).await.expect("it writes")[0].number, 3);
    let turns = storage.open_turns().await.expect("it lists");
    assert_eq!(turns.iter().map(|turn| turn.id.as_str()).collect::<Vec<_>>(), ["turn-2"]);
    assert_eq!(storage.calls(&"terminal".into(), 10).await.expect("it lists").len(), 1);
    assert_eq!(storage.usage(&"terminal".into()).await.expect("it counts").usage.input_tokens, 120);
    assert_eq!(storage.enabled().await.expect("it lists"), [("greeter".to_owned(), false)]);
    let current = Connection::open(place.directory().database()).expect("a database");
    assert_eq!(migration::state(&current, VERSION), Ok(State::Current));
}

#[test]
fn a_new_step_keeps_what_is_there() {
    let place = Place::new();
    drop(old_file(&place));
    let steps: Vec<_> =
        STEPS.iter().copied().chain(["ALTER TABLE session ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'"]).collect();
    database::set_up(&place.directory(), &steps).expect("it is brought up to date");
    let connection = Connection::open(place.directory().database()).expect("a database");
    let mood: String =
        connection.query_row("SELECT mood FROM session WHERE name = 'terminal'", [], |row| row.get(0)).expect("a row");
    assert_eq!(mood, "good");
    assert_eq!(migration::state(&connection, steps.len() as i64), Ok(State::Current));
    match migration::state(&connection, VERSION) {
        Err(StorageError::Newer { found, known }) => assert_eq!((found, known), (VERSION + 1, VERSION)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_file_as_it_was() {
    let place = Place::new();
    let before = dump(&old_file(&place));
    let broken = ["DELETE FROM message; ALTER TABLE session ADD COLUMN mood TEXT", "CREATE TABLE session (again TEXT)"];
    let steps: Vec<_> = STEPS.iter().copied().chain(broken).collect();
    database::set_up(&place.directory(), &steps).expect_err("the last step fails");
    assert_eq!(dump(&Connection::open(place.directory().database()).expect("a database")), before);
    assert_eq!(place.storage().messages(&"terminal".into(), None, 10, true).await.expect("it lists").len(), 2);
}

#[test]
fn nothing_is_changed_under_an_agent_that_runs() {
    let place = Place::new();
    let before = dump(&old_file(&place));
    let agent = place.directory().lock().expect("nobody is there");
    let steps: Vec<_> = STEPS.iter().copied().chain(["DELETE FROM message"]).collect();
    let refused = database::set_up(&place.directory(), &steps).expect_err("an agent runs");
    assert!(matches!(refused, StorageError::InUse { .. }), "{refused}");
    assert_eq!(dump(&Connection::open(place.directory().database()).expect("a database")), before);
    drop(agent);
    database::set_up(&place.directory(), &steps).expect("nobody is there any more");
}

#[tokio::test]
async fn a_program_that_became_too_old_while_it_ran_writes_no_more() {
    let place = Place::new();
    let storage = place.storage();
    storage.append(&"s".into(), vec![says("hello")]).await.expect("it writes");
    let newer = Connection::open(place.directory().database()).expect("a database");
    newer.pragma_update(None, "user_version", VERSION + 1).expect("it is newer now");
    let error = storage.append(&"s".into(), vec![says("hello")]).await.expect_err("it is too old");
    assert!(error.code() == "data_version", "{error:?}");
}

#[tokio::test]
async fn many_may_begin_at_once() {
    let place = Place::new();
    let storages: Vec<_> = (0..8).map(|_| std::sync::Arc::new(place.storage())).collect();
    let begun: Vec<_> = storages
        .iter()
        .map(|storage| {
            let storage = std::sync::Arc::clone(storage);
            tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(async { storage.append(&"s".into(), vec![says("hello")]).await.map(drop) })
            })
        })
        .collect();
    for one in begun {
        one.await.expect("it does not panic").expect("it writes");
    }
    assert_eq!(storages[0].messages(&"s".into(), None, 100, true).await.expect("it lists").len(), 8);
}

/// Returns all that is in a database.
fn dump(connection: &Connection) -> Vec<String> {
    let mut tables = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").expect("the schema");
    let tables: Vec<(String, Option<String>)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows").collect::<Result<_, _>>().expect("rows");
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("its version");
    let mut dump = vec![version.to_string()];
    for (name, sql) in tables {
        let Some(sql) = sql else { continue };
        if sql.starts_with("CREATE TABLE") {
            let mut rows = connection.prepare(&format!("SELECT * FROM {name}")).expect("the table");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                dump.push((0..columns).map(|at| format!("{:?} ", row.get_ref(at).expect("a column"))).collect());
            }
        }
        dump.push(sql);
    }
    dump
}
