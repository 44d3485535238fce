//! Opening, writing together, and what goes wrong on disks.

use std::{fs, sync::Arc};

use nekro_core::{Expected, Scope, StorePort};
use rusqlite::params;

use super::Place;
use crate::{
    history::HistoryPort,
    storage::{
        Health, Storage, StorageError,
        database::{self, Access, OLDEST_SQLITE},
    },
};

fn scope() -> Scope {
    Scope { plugin: "p".into(), session: None, user: None }
}

async fn put(storage: &Storage, key: &str, json: &str) -> nekro_core::Result<bool> {
    storage.put(&scope(), key, Expected::Any, Some(json.to_owned().into())).await
}

#[test]
fn the_engine_is_one_that_damages_no_files() {
    assert!(rusqlite::version_number() >= OLDEST_SQLITE);
}

#[tokio::test]
async fn whoever_only_looks_leaves_no_directory_behind() {
    let place = Place::new();
    let storage = place.storage();
    assert!(storage.enabled().await.expect("it lists").is_empty());
    assert_eq!(storage.get(&scope(), "k").await.expect("it reads"), None);
    assert_eq!(storage.health().await.expect("it looks"), Health::Absent);
    assert!(!place.directory().path().exists());
    put(&storage, "k", "1").await.expect("it writes");
    assert!(storage.get(&scope(), "k").await.expect("it reads").is_some(), "what looked before sees it");
    assert_eq!(storage.health().await.expect("it looks"), Health::Good);
}

#[cfg(unix)]
#[tokio::test]
async fn every_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let storage = place.storage();
    put(&storage, "k", "1").await.expect("it writes");
    let files: Vec<_> = fs::read_dir(place.directory().path()).expect("the directory").flatten().collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file:?}");
    }
}

#[tokio::test]
async fn every_write_waits_for_the_disk() {
    let place = Place::new();
    let storage = place.storage();
    let settings = |connection: &rusqlite::Connection| {
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok((mode, number("synchronous")?, number("mmap_size").unwrap_or(0)))
    };
    const FULL: i64 = 2;
    assert_eq!(storage.write(settings).await.expect("it answers"), ("wal".to_owned(), FULL, 0));
}

#[tokio::test]
async fn a_write_that_fails_takes_no_other_with_it() {
    let place = Place::new();
    let storage = Arc::new(place.storage());
    put(&storage, "count", "0").await.expect("it writes");
    let writes: Vec<_> = (0..200)
        .map(|number| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                storage
                    .write(move |connection| {
                        connection.execute("UPDATE value SET json = CAST(json AS INTEGER) + 1", [])?;
                        match number % 4 {
                            0 => Err(StorageError::Other("on purpose".to_owned())),
                            1 => panic!("on purpose"),
                            _ => Ok(()),
                        }
                    })
                    .await
            })
        })
        .collect();
    let mut good = 0;
    for write in writes {
        good += i32::from(write.await.expect("it does not panic").is_ok());
    }
    let stored = storage.get(&scope(), "count").await.expect("it reads").expect("it is there");
    assert_eq!((good, stored.json.as_str()), (100, "100"));
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() {
    let place = Place::new();
    let storage = place.storage();
    put(&storage, "before", "1").await.expect("there is room");
    let fill = |connection: &rusqlite::Connection| {
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))?;
        Ok(())
    };
    storage.write(fill).await.expect("it answers");
    let large = format!("\"{}\"", "x".repeat(100_000));
    let error = put(&storage, "large", &large).await.expect_err("there is no room");
    assert!(error.code() == "data_full" && error.is_retryable() && error.hint().is_some(), "{error:?}");
    // Beside others in one transaction as well.
    let (large, small) = tokio::join!(put(&storage, "large", &large), put(&storage, "small", "1"));
    assert_eq!(large.expect_err("there is no room").code(), "data_full");
    assert_eq!(small.is_ok(), storage.get(&scope(), "small").await.expect("it reads").is_some(), "it is as was said");
    assert!(storage.get(&scope(), "before").await.expect("it reads").is_some());
    put(&storage, "before", "2").await.expect("a little goes on");
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_told() {
    let place = Place::new();
    let storage = place.storage();
    let close = |connection: &rusqlite::Connection| Ok(connection.pragma_update(None, "query_only", 1)?);
    storage.write(close).await.expect("it answers");
    let error = put(&storage, "k", "1").await.expect_err("it may not");
    assert!(error.code() == "data_read_only" && error.hint().is_some(), "{error:?}");
}

#[tokio::test]
async fn a_file_in_the_way_of_the_directory_is_told() {
    let place = Place::new();
    fs::write(place.directory().path(), "").expect("a file");
    let storage = place.storage();
    let error = put(&storage, "k", "1").await.expect_err("a file is no directory");
    assert!(error.code() == "data_directory" && error.message().contains("cannot be used"), "{error:?}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_left_alone() {
    type Make<'m> = &'m dyn Fn(&std::path::Path);
    let cases: [(&str, Make<'_>); 3] = [
        ("data_damaged", &|file| {
            fs::write(file, "no database at all, but long enough to be read as one".repeat(100)).expect("a file")
        }),
        ("data_version", &|file| {
            let foreign = rusqlite::Connection::open(file).expect("a database");
            foreign.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").expect("a table");
        }),
        ("data_version", &|file| {
            let newer = rusqlite::Connection::open(file).expect("a database");
            let ours = format!("PRAGMA application_id = {}; PRAGMA user_version = 99", super::super::migration::APPLICATION);
            newer.execute_batch(&ours).expect("its header");
        }),
    ];
    for (code, make) in cases {
        let place = Place::new();
        fs::create_dir(place.directory().path()).expect("a directory");
        let file = place.directory().database();
        make(&file);
        let before = fs::read(&file).expect("the file");
        let storage = place.storage();
        let errors =
            [put(&storage, "k", "1").await.expect_err("not ours"), storage.get(&scope(), "k").await.expect_err("not ours")];
        for error in errors {
            assert!(error.code() == code && error.hint().is_some(), "{error:?}");
        }
        assert_eq!(fs::read(&file).expect("the file"), before);
    }
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_found() {
    let place = Place::new();
    let storage = place.storage();
    for number in 0..200 {
        put(&storage, &format!("key {number}"), &format!("\"{}\"", "x".repeat(500))).await.expect("it writes");
    }
    storage.close().await;
    drop(storage);
    let file = place.directory().database();
    let mut bytes = fs::read(&file).expect("the file");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&file, bytes).expect("the file");
    let storage = place.storage();
    assert!(matches!(storage.health().await.expect("it looks"), Health::Damaged(_)));
}

#[tokio::test]
async fn nothing_is_kept_after_the_end() {
    let place = Place::new();
    let storage = place.storage();
    put(&storage, "k", "1").await.expect("it writes");
    storage.close().await;
    let error = put(&storage, "k", "2").await.expect_err("it has ended");
    assert!(error.message().contains("ending"), "{error}");
    assert_eq!(storage.get(&scope(), "k").await.expect("it reads").expect("it is there").json, "1");
    let left = fs::read_dir(place.directory().path()).expect("the directory").flatten().count();
    assert!(left >= 1);
}

#[tokio::test]
async fn two_that_write_do_not_lose_what_the_other_wrote() {
    let place = Place::new();
    // As two processes would: each has its own thread and its own connections.
    let storages = [Arc::new(place.storage()), Arc::new(place.storage())];
    let mut tasks = Vec::new();
    for storage in &storages {
        for _ in 0..4 {
            let storage = Arc::clone(storage);
            tasks.push(tokio::spawn(async move {
                for _ in 0..20 {
                    storage.append(&"s".into(), vec![crate::history::rules::says("hello")]).await.expect("it writes");
                }
            }));
        }
    }
    for task in tasks {
        task.await.expect("it does not panic");
    }
    let messages = storages[0].messages(&"s".into(), None, usize::MAX, true).await.expect("it lists");
    assert!(messages.iter().rev().map(|message| message.number).eq(1..=160));
}

#[tokio::test]
async fn a_reader_sees_what_was_written_before_it_looked_and_holds_nobody_up() {
    let place = Place::new();
    let storage = place.storage();
    put(&storage, "k", "1").await.expect("it writes");
    let reader = database::open_existing(&place.directory(), Access::Read).expect("it opens").expect("it is there");
    reader.execute_batch("BEGIN").expect("it begins");
    let read = || reader.query_row("SELECT json FROM value WHERE key = ?", params!["k"], |row| row.get::<_, String>(0));
    assert_eq!(read().as_deref(), Ok("1"));
    put(&storage, "k", "2").await.expect("it does not wait");
    assert_eq!(read().as_deref(), Ok("1"));
    reader.execute_batch("COMMIT").expect("it ends");
    assert_eq!(read().as_deref(), Ok("2"));
    assert!(reader.execute_batch("DELETE FROM value").is_err(), "a reader writes nothing");
}
