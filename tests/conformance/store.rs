//! What every implementation of the store keeps to: [`keeps_to_the_rules`] takes one.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use nekro_core::{Expected, PluginId, Scope, SessionId, Store, StorePort, UserId};
use proptest::{prelude::*, test_runner::TestRunner};

/// Puts an implementation through everything; each part begins with an empty store.
pub(crate) fn keeps_to_the_rules(make: impl Fn() -> Arc<dyn StorePort>) {
    behaves_like_a_map(&make);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().expect("a runtime");
    runtime.block_on(async {
        keeps_scopes_apart(make()).await;
        refuses_what_is_stale(make()).await;
        loses_no_update(make()).await;
        lists_in_pages(make()).await;
        says_what_cannot_be_read(make()).await;
    });
}

fn store(port: &Arc<dyn StorePort>, plugin: &str) -> Store {
    let (session, user) = (Some(SessionId::from("s")), Some(UserId::from("u")));
    Store::new(Arc::clone(port), PluginId::from(plugin), session, user)
}

#[derive(Clone, Debug)]
enum Step {
    Get(String),
    Set(String, u32),
    Insert(String, u32),
    Remove(String),
    Add(String, u32),
    List { prefix: String, after: Option<String>, limit: usize },
}

fn steps() -> impl Strategy<Value = Vec<(bool, Step)>> {
    // Few keys, so that they meet; some are prefixes of others, some beyond ASCII.
    let key = || prop_oneof![Just(""), Just("a"), Just("ab"), Just("abc"), Just("b"), Just("b/1"), Just("é"), Just("\u{10ffff}")];
    let key = move || key().prop_map(str::to_owned);
    let step = prop_oneof![
        key().prop_map(Step::Get),
        (key(), any::<u32>()).prop_map(|(key, value)| Step::Set(key, value)),
        (key(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        key().prop_map(Step::Remove),
        (key(), any::<u32>()).prop_map(|(key, value)| Step::Add(key, value)),
        (key(), proptest::option::of(key()), 1_usize..5).prop_map(|(prefix, after, limit)| Step::List { prefix, after, limit }),
    ];
    // Each step in one of two scopes.
    proptest::collection::vec((any::<bool>(), step), 0..80)
}

fn behaves_like_a_map(make: &impl Fn() -> Arc<dyn StorePort>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let checked = TestRunner::default().run(&steps(), |steps| {
        let port = make();
        let whole = store(&port, "p");
        let stores = [whole.clone(), whole.session().expect("a session")];
        let mut maps: [BTreeMap<String, u32>; 2] = Default::default();
        runtime.block_on(async {
            for (second, step) in steps {
                let (store, map) = (&stores[usize::from(second)], &mut maps[usize::from(second)]);
                follow(store, map, step).await?;
            }
            Ok(())
        })
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn follow(store: &Store, map: &mut BTreeMap<String, u32>, step: Step) -> Result<(), TestCaseError> {
    match step {
        Step::Get(key) => prop_assert_eq!(store.get::<u32>(&key).await.expect("it reads"), map.get(&key).copied()),
        Step::Set(key, value) => {
            store.set(&key, &value).await.expect("it writes");
            map.insert(key, value);
        }
        Step::Insert(key, value) => {
            let inserted = store.insert(&key, &value).await.expect("it writes");
            prop_assert_eq!(inserted, !map.contains_key(&key));
            map.entry(key).or_insert(value);
        }
        Step::Remove(key) => prop_assert_eq!(store.remove(&key).await.expect("it removes"), map.remove(&key).is_some()),
        Step::Add(key, value) => {
            let sum = |old: Option<u32>| old.unwrap_or(0).wrapping_add(value);
            let new = store.update(&key, sum).await.expect("it writes");
            let old = map.get(&key).copied();
            map.insert(key, sum(old));
            prop_assert_eq!(new, sum(old));
        }
        Step::List { prefix, after, limit } => {
            let page = store.list::<u32>(&prefix, after.as_deref(), limit).await.expect("it lists");
            let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let mut rest = map.range::<String, _>((start, Bound::Unbounded)).filter(|(key, _)| key.starts_with(&prefix));
            let items: Vec<_> = rest.by_ref().take(limit).map(|(key, value)| (key.clone(), *value)).collect();
            let next = rest.next().and_then(|_| items.last().map(|(key, _)| key.clone()));
            prop_assert_eq!((page.items, page.next), (items, next));
        }
    }
    Ok(())
}

async fn keeps_scopes_apart(port: Arc<dyn StorePort>) {
    let make = |plugin: &str, session: &str, user: &str| {
        Store::new(Arc::clone(&port), PluginId::from(plugin), Some(SessionId::from(session)), Some(UserId::from(user)))
    };
    let mut scopes = Vec::new();
    // Names that would run together if they were only joined.
    for plugin in ["p", "p/s", "ps"] {
        scopes.push(make(plugin, "s", "u"));
        for session in ["s", "s/u", ""] {
            scopes.push(make(plugin, session, "u").session().expect("a session"));
            for user in ["u", "u/k"] {
                scopes.push(make(plugin, session, user).session().and_then(|store| store.user()).expect("both"));
            }
        }
        for user in ["u", "s", ""] {
            scopes.push(make(plugin, "s", user).user().expect("a user"));
        }
    }
    for (number, store) in scopes.iter().enumerate() {
        assert!(store.insert("k", &number).await.expect("it writes"), "{store:?} holds another's value");
    }
    for (number, store) in scopes.iter().enumerate() {
        assert_eq!(store.get::<usize>("k").await.expect("it reads"), Some(number), "{store:?}");
        let page = store.list::<usize>("", None, 100).await.expect("it lists");
        assert_eq!((page.items, page.next), (vec![("k".to_owned(), number)], None), "{store:?}");
    }
    scopes[0].remove("k").await.expect("it removes");
    for store in &scopes[1..] {
        assert!(store.get::<usize>("k").await.expect("it reads").is_some(), "{store:?}");
    }
    let nobody = Store::new(port, PluginId::from("p"), None, None);
    assert_eq!(nobody.session().expect_err("no session").code(), "no_session");
    assert_eq!(nobody.user().expect_err("no person").code(), "no_user");
}

async fn refuses_what_is_stale(port: Arc<dyn StorePort>) {
    let scope = Scope { plugin: PluginId::from("p"), session: None, user: None };
    let put =
        async |expected, json: Option<&str>| port.put(&scope, "k", expected, json.map(str::to_owned)).await.expect("it writes");
    let version = async || port.get(&scope, "k").await.expect("it reads").expect("a value").version;
    assert!(!put(Expected::Version(1), Some("0")).await, "there is none");
    assert!(put(Expected::Absent, Some("1")).await && !put(Expected::Absent, Some("2")).await);
    let first = version().await;
    assert!(first != 0 && put(Expected::Version(first), Some("2")).await);
    assert!(!put(Expected::Version(first), Some("3")).await && !put(Expected::Version(first), None).await);
    // Removed and written again, it is another value, also if it reads the same.
    let second = version().await;
    assert!(put(Expected::Any, None).await && put(Expected::Absent, Some("2")).await);
    assert!(!put(Expected::Version(second), Some("3")).await && !put(Expected::Version(first), Some("3")).await);
    let third = version().await;
    assert!(put(Expected::Any, Some("2")).await && version().await != third, "every write changes the version");
    assert!(put(Expected::Any, None).await && put(Expected::Any, None).await && put(Expected::Absent, None).await);
    assert_eq!(port.get(&scope, "k").await.expect("it reads"), None);
}

async fn loses_no_update(port: Arc<dyn StorePort>) {
    const TASKS: u64 = 8;
    const UPDATES: u64 = 100;
    let counted = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, counted) = (store(&port, "p"), Arc::clone(&counted));
            tokio::spawn(async move {
                for _ in 0..UPDATES {
                    // Others may always have been faster; then it says so, and nothing was written.
                    match store.update("count", |old: Option<u64>| old.unwrap_or(0) + 1).await {
                        Ok(_) => drop(counted.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => assert!(error.code() == "contended" && error.is_retryable(), "{error}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
    let count = store(&port, "p").get::<u64>("count").await.expect("it reads");
    assert_eq!(count, Some(counted.load(Ordering::Relaxed)));
    assert!(count > Some(TASKS * UPDATES / 2), "most came through");
}

async fn lists_in_pages(port: Arc<dyn StorePort>) {
    let store = store(&port, "p");
    for number in 0..25 {
        store.set(&format!("item/{number:02}"), &number).await.expect("it writes");
        store.set(&format!("jtem/{number:02}"), &number).await.expect("it writes");
    }
    for limit in [1, 7, 25, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.list::<u32>("item/", after.as_deref(), limit).await.expect("it lists");
            assert!(page.items.len() <= limit);
            seen.extend(page.items.into_iter().map(|(_, value)| value));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert!(seen.into_iter().eq(0..25), "limit {limit}");
    }
    // What is removed or added meanwhile does not disturb the rest.
    let page = store.list::<u32>("item/", None, 10).await.expect("it lists");
    store.remove(&page.next.clone().expect("there is more")).await.expect("it removes");
    store.set("item/00b", &0).await.expect("it writes");
    let rest = store.list::<u32>("item/", page.next.as_deref(), 100).await.expect("it lists");
    assert!(rest.items.into_iter().map(|(_, value)| value).eq(10..25));
}

async fn says_what_cannot_be_read(port: Arc<dyn StorePort>) {
    let store = store(&port, "p");
    store.set("k", "text").await.expect("it writes");
    let error = store.get::<u32>("k").await.expect_err("a text is no number");
    assert!(error.code() == "stored_type" && error.message().contains("`k`"), "{error}");
    assert_eq!(store.update("k", |_: Option<u32>| 1).await.expect_err("nor here").code(), "stored_type");
    assert_eq!(store.get::<String>("k").await.expect("it reads").as_deref(), Some("text"), "nothing was changed");
    store.set("k", &None::<u32>).await.expect("it writes");
    assert_eq!(store.get::<Option<u32>>("k").await.expect("it reads"), Some(None), "nothing is a value too");
}
