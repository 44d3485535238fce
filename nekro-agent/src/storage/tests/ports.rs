//! The database keeps to what every implementation keeps to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nekro_core::{ClockPort, Expected, Lifetime, NewValue, Scope, StorePort, Timestamp};

use super::{Place, store_rules};
use crate::{
    history::{HistoryPort, rules},
    storage::{DataDirectory, Storage},
};

/// Makes storages, each with its own directory.
fn maker(place: &Place) -> impl Fn(Arc<dyn ClockPort>) -> Arc<Storage> {
    let count = AtomicUsize::new(0);
    let root = place.0.path().to_owned();
    move |clock| {
        let directory = root.join(count.fetch_add(1, Ordering::Relaxed).to_string());
        Arc::new(Storage::new(DataDirectory::new(directory), clock))
    }
}

#[test]
fn the_database_keeps_to_the_rules_of_the_store() {
    let place = Place::new();
    let make = maker(&place);
    store_rules::keeps_to_the_rules(|clock, limits| {
        let storage = make(clock);
        storage.limit(&limits);
        storage
    });
}

#[test]
fn the_database_keeps_to_the_rules_of_history() {
    let place = Place::new();
    let make = maker(&place);
    rules::keeps_to_the_rules(|clock| make(clock));
}

#[tokio::test]
async fn what_plugins_keep_for_a_session_goes_with_it() {
    let place = Place::new();
    let storage = place.storage();
    let scope = |session: Option<&str>, user: Option<&str>| Scope {
        plugin: "p".into(),
        session: session.map(Into::into),
        user: user.map(Into::into),
    };
    let scopes = [scope(None, None), scope(Some("s"), None), scope(Some("s"), Some("u")), scope(Some(""), None)];
    for scope in &scopes {
        storage.put(scope, "k", nekro_core::Expected::Any, Some("1".to_owned().into())).await.expect("it writes");
    }
    storage.delete_session(&"s".into()).await.expect("it deletes");
    let mut there = Vec::new();
    for scope in &scopes {
        there.push(storage.get(scope, "k").await.expect("it reads").is_some());
    }
    assert_eq!(there, [true, false, false, true]);
}

/// A clock that stands where it was put.
#[derive(Default)]
struct At(AtomicUsize);

impl ClockPort for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + i64::try_from(self.0.load(Ordering::SeqCst)).expect("few")).expect("a moment")
    }
}

#[tokio::test]
async fn what_is_over_is_removed_from_the_file_by_later_writes() {
    let place = Place::new();
    let clock = Arc::new(At::default());
    let storage = Storage::new(place.directory(), Arc::clone(&clock) as _);
    let scope = |plugin: &str| Scope { plugin: plugin.into(), session: None, user: None };
    let rows = || {
        let connection = rusqlite::Connection::open(place.directory().database()).expect("a database");
        connection
            .query_row("SELECT (SELECT count(*) FROM value), (SELECT sum(keys) FROM store)", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("it counts")
    };
    for number in 0..300 {
        let new = NewValue { json: "1".to_owned(), lifetime: Lifetime::For(Duration::from_secs(60)) };
        storage.put(&scope("p"), &number.to_string(), Expected::Any, Some(new)).await.expect("it writes");
    }
    clock.0.store(60, Ordering::SeqCst);
    let page = storage.list(&scope("p"), "", None, 10).await.expect("it lists");
    assert_eq!((page.items.len(), page.next, rows()), (0, None, (300_i64, 300_i64)), "unseen, and still there");
    let mut text = Vec::new();
    let counts = crate::storage::export(&place.directory(), &mut text, clock.now()).expect("it exports");
    assert_eq!(counts.values, 0, "nor is it exported");
    for _ in 0..256 {
        storage.put(&scope("q"), "k", Expected::Any, Some("1".to_owned().into())).await.expect("it writes");
    }
    assert_eq!(rows(), (1, 1));
}

#[tokio::test]
async fn an_older_program_that_still_runs_writes_no_values_of_the_old_shape() {
    fn step(values: &mut nekro_core::Migration) -> nekro_core::Result<()> {
        values.change("", |_, old: u32| Ok(old + 1))
    }
    let place = Place::new();
    let (older, newer) = (place.storage(), place.storage());
    let (plugin, scope) = ("p".into(), Scope { plugin: "p".into(), session: None, user: None });
    older.migrate(&plugin, &[]).await.expect("there is nothing to do");
    older.put(&scope, "k", Expected::Any, Some("1".to_owned().into())).await.expect("it writes");
    newer.migrate(&plugin, &[step]).await.expect("it is taken");
    let refused = older.put(&scope, "k", Expected::Any, Some("7".to_owned().into())).await.expect_err("it is too old");
    assert!(refused.code() == "store_version", "{refused:?}");
    assert_eq!(newer.get(&scope, "k").await.expect("it reads").expect("a value").json, "2");
}
