//! The database keeps to what every implementation keeps to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use nekro_core::{ClockPort, Scope, StorePort};

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
    store_rules::keeps_to_the_rules(|| make(Arc::new(rules::Ticking::default())));
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
        storage.put(scope, "k", nekro_core::Expected::Any, Some("1".to_owned())).await.expect("it writes");
    }
    storage.delete_session(&"s".into()).await.expect("it deletes");
    let mut there = Vec::new();
    for scope in &scopes {
        there.push(storage.get(scope, "k").await.expect("it reads").is_some());
    }
    assert_eq!(there, [true, false, false, true]);
}
