//! What every implementation of the store keeps to: [`keeps_to_the_rules`] takes one.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use nekro_core::{
    ClockPort, Error, Expected, Migration, MigrationStep, PluginId, Scope, SessionId, Store, StoreLimits, StorePort, Timestamp,
    UserId,
};
use proptest::{prelude::*, test_runner::TestRunner};

/// Puts an implementation through everything; each part begins with an empty store.
pub(crate) fn keeps_to_the_rules(make: impl Fn(Arc<dyn ClockPort>, StoreLimits) -> Arc<dyn StorePort>) {
    behaves_like_a_map(&make);
    let usual = || make(Arc::new(Hands::default()), StoreLimits::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().expect("a runtime");
    runtime.block_on(async {
        keeps_scopes_apart(usual()).await;
        refuses_what_is_stale(usual()).await;
        loses_no_update(usual()).await;
        lists_in_pages(usual()).await;
        says_what_cannot_be_read(usual()).await;
        keeps_to_its_limits(&make).await;
        takes_all_steps_or_none(usual()).await;
    });
}

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Hands(AtomicU64);

impl Hands {
    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl ClockPort for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.0.load(Ordering::SeqCst).cast_signed()).expect("a moment")
    }
}

fn store(port: &Arc<dyn StorePort>, plugin: &str) -> Store {
    let (session, user) = (Some(SessionId::from("s")), Some(UserId::from("u")));
    Store::new(Arc::clone(port), PluginId::from(plugin), session, user)
}

#[derive(Clone, Debug)]
enum Step {
    Get(String),
    Set(String, u32),
    // For so many seconds.
    SetFor(String, u32, u64),
    AddFor(String, u32, u64),
    Wait(u64),
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
        (key(), any::<u32>(), 0_u64..9).prop_map(|(key, value, time)| Step::SetFor(key, value, time)),
        (key(), any::<u32>(), 0_u64..9).prop_map(|(key, value, time)| Step::AddFor(key, value, time)),
        (0_u64..5).prop_map(Step::Wait),
        (key(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        key().prop_map(Step::Remove),
        (key(), any::<u32>()).prop_map(|(key, value)| Step::Add(key, value)),
        (key(), proptest::option::of(key()), 1_usize..5).prop_map(|(prefix, after, limit)| Step::List { prefix, after, limit }),
    ];
    // Each step in one of two scopes.
    proptest::collection::vec((any::<bool>(), step), 0..80)
}

/// What a store has to be like: a map in which values are there up to a moment.
#[derive(Default)]
struct Model {
    now: u64,
    values: BTreeMap<String, (u32, Option<u64>)>,
}

impl Model {
    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let now = self.now;
        self.values.retain(|_, (_, until)| until.is_none_or(|until| until > now));
    }

    fn get(&self, key: &str) -> Option<u32> {
        self.values.get(key).map(|(value, _)| *value)
    }

    fn set(&mut self, key: &str, value: u32, until: Option<u64>) {
        self.values.insert(key.to_owned(), (value, until));
        self.wait(0);
    }
}

fn behaves_like_a_map(make: &impl Fn(Arc<dyn ClockPort>, StoreLimits) -> Arc<dyn StorePort>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let checked = TestRunner::default().run(&steps(), |steps| {
        let hands = Arc::new(Hands::default());
        let port = make(Arc::clone(&hands) as _, StoreLimits::default());
        let whole = store(&port, "p");
        let stores = [whole.clone(), whole.session().expect("a session")];
        let mut models: [Model; 2] = Default::default();
        runtime.block_on(async {
            for (second, step) in steps {
                if let Step::Wait(seconds) = step {
                    hands.advance(seconds);
                    models.iter_mut().for_each(|model| model.wait(seconds));
                }
                follow(&stores[usize::from(second)], &mut models[usize::from(second)], step).await?;
            }
            Ok(())
        })
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn follow(store: &Store, model: &mut Model, step: Step) -> Result<(), TestCaseError> {
    let lasting = |seconds| store.expiring(Duration::from_secs(seconds));
    let sum = |value: u32| move |old: Option<u32>| old.unwrap_or(0).wrapping_add(value);
    match step {
        Step::Wait(_) => {}
        Step::Get(key) => prop_assert_eq!(store.get::<u32>(&key).await.expect("it reads"), model.get(&key)),
        Step::Set(key, value) => {
            store.set(&key, &value).await.expect("it writes");
            model.set(&key, value, None);
        }
        Step::SetFor(key, value, seconds) => {
            lasting(seconds).set(&key, &value).await.expect("it writes");
            model.set(&key, value, Some(model.now + seconds));
        }
        Step::Insert(key, value) => {
            let inserted = store.insert(&key, &value).await.expect("it writes");
            prop_assert_eq!(inserted, model.get(&key).is_none());
            if inserted {
                model.set(&key, value, None);
            }
        }
        Step::Remove(key) => {
            prop_assert_eq!(store.remove(&key).await.expect("it removes"), model.values.remove(&key).is_some());
        }
        Step::Add(key, value) => {
            let new = store.update(&key, sum(value)).await.expect("it writes");
            let until = model.values.get(&key).and_then(|(_, until)| *until);
            prop_assert_eq!(new, sum(value)(model.get(&key)));
            model.set(&key, new, until);
        }
        Step::AddFor(key, value, seconds) => {
            let new = lasting(seconds).update(&key, sum(value)).await.expect("it writes");
            prop_assert_eq!(new, sum(value)(model.get(&key)));
            model.set(&key, new, Some(model.now + seconds));
        }
        Step::List { prefix, after, limit } => {
            let page = store.list::<u32>(&prefix, after.as_deref(), limit).await.expect("it lists");
            let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let mut rest = model.values.range::<String, _>((start, Bound::Unbounded)).filter(|(key, _)| key.starts_with(&prefix));
            let items: Vec<_> = rest.by_ref().take(limit).map(|(key, (value, _))| (key.clone(), *value)).collect();
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
    let put = async |expected, json: Option<&str>| {
        port.put(&scope, "k", expected, json.map(|json| json.to_owned().into())).await.expect("it writes")
    };
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

async fn keeps_to_its_limits(make: &impl Fn(Arc<dyn ClockPort>, StoreLimits) -> Arc<dyn StorePort>) {
    let limits = |change: fn(&mut StoreLimits)| {
        let mut limits = StoreLimits::default();
        change(&mut limits);
        let hands = Arc::new(Hands::default());
        (make(Arc::clone(&hands) as _, limits), hands)
    };
    let refused = |result: nekro_core::Result<()>| match result {
        Ok(()) => panic!("it is too much"),
        Err(error) => format!("{}: {error} ({})", error.code(), error.hint().unwrap_or_default()),
    };
    let (port, _) = limits(|limits| (limits.key_bytes, limits.value_bytes) = (4, 6));
    let tight = store(&port, "p");
    assert!(tight.set("four", "four").await.is_ok(), "with its quotation marks, it has six bytes");
    assert_eq!(
        refused(tight.set("fiver", &1).await),
        "too_large: a key of 5 bytes is too long for the store, and may have no more than 4 (the limit is `store.key_bytes`)"
    );
    assert_eq!(
        refused(tight.set("four", "fiver").await),
        "too_large: the value for `four` has 7 bytes, and may have no more than 6 (the limit is `store.value_bytes`)"
    );
    assert_eq!(tight.get::<String>("four").await.expect("it reads").as_deref(), Some("four"), "it stays as it was");

    let (port, hands) = limits(|limits| limits.keys = 2);
    let (mine, of_session, other) = (store(&port, "p"), store(&port, "p").session().expect("a session"), store(&port, "q"));
    mine.set("a", &1).await.expect("there is room");
    of_session.expiring(Duration::from_secs(5)).set("a", &1).await.expect("there is room");
    let full = "store_full: the plugin `p` may keep no more than 2 values (remove values that it no longer needs; the limit is `store.keys`)";
    assert_eq!(refused(mine.set("b", &1).await), full);
    assert_eq!(refused(mine.try_update("b", |_: Option<u32>| Ok(1)).await.map(drop)), full);
    mine.set("a", &2).await.expect("it takes the place of another");
    other.set("b", &1).await.expect("others have their own room");
    hands.advance(5);
    mine.set("b", &1).await.expect("what is over takes no room");
    assert_eq!(refused(of_session.set("a", &1).await), full);
    assert!(mine.remove("a").await.expect("it removes"));
    of_session.set("a", &1).await.expect("what was removed takes none, either");

    let (port, _) = limits(|limits| limits.bytes = 10);
    let bytes = store(&port, "p");
    bytes.set("a", "1234").await.expect("seven bytes");
    assert_eq!(
        refused(bytes.set("b", "12").await),
        "store_full: the plugin `p` may keep no more than 10 bytes of keys and values (remove values that it no longer needs; the limit is `store.bytes`)"
    );
    bytes.set("b", &12).await.expect("three bytes");
    bytes.set("a", "123").await.expect("less than before");
    assert_eq!(refused(bytes.set("a", "12345").await)[..10], *"store_full");
}

async fn takes_all_steps_or_none(port: Arc<dyn StorePort>) {
    fn tens(values: &mut Migration) -> nekro_core::Result<()> {
        values.change("n/", |_, old: u32| Ok(old * 10))
    }
    fn texts(values: &mut Migration) -> nekro_core::Result<()> {
        values.change("n/", |_, old: u32| Ok(old.to_string()))?;
        values.rename("n/", |key| key.replace("n/", "t/"))
    }
    fn fail(_: &mut Migration) -> nekro_core::Result<()> {
        Err(Error::new("no"))
    }
    fn panic(_: &mut Migration) -> nekro_core::Result<()> {
        panic!("oh")
    }
    static FIRST: [MigrationStep; 1] = [tens];
    static BOTH: [MigrationStep; 2] = [tens, texts];
    static FAILING: [MigrationStep; 2] = [tens, fail];
    static PANICKING: [MigrationStep; 2] = [tens, panic];
    let plugin = PluginId::from("p");
    let (whole, of_session) = (store(&port, "p"), store(&port, "p").session().expect("a session"));
    port.migrate(&plugin, &[]).await.expect("there is nothing to do");
    whole.set("n/1", &1).await.expect("it writes");
    whole.set("other", &1).await.expect("it writes");
    of_session.set("n/1", &2).await.expect("it writes");
    store(&port, "q").set("n/1", &3).await.expect("it writes");
    for (steps, said) in [(&FAILING, "from version 2 to 3: no"), (&PANICKING, "from version 2 to 3: it panicked: oh")] {
        let error = port.migrate(&plugin, steps).await.expect_err("a step fails");
        assert!(error.code() == "migration" && error.message().contains(said), "{error:?}");
        assert_eq!(whole.get::<u32>("n/1").await.expect("it reads"), Some(1), "nothing was changed");
    }
    port.migrate(&plugin, &FIRST).await.expect("it is taken");
    port.migrate(&plugin, &FIRST).await.expect("and not again");
    assert_eq!(whole.get::<u32>("n/1").await.expect("it reads"), Some(10));
    port.migrate(&plugin, &BOTH).await.expect("the second is taken");
    assert_eq!(whole.get::<String>("t/1").await.expect("it reads").as_deref(), Some("10"));
    assert_eq!(of_session.get::<String>("t/1").await.expect("it reads").as_deref(), Some("20"));
    assert_eq!(whole.list::<serde_json::Value>("", None, 9).await.expect("it lists").items.len(), 2);
    assert_eq!(store(&port, "q").get::<u32>("n/1").await.expect("it reads"), Some(3), "another plugin's stay");
    let error = port.migrate(&plugin, &FIRST).await.expect_err("they are newer");
    assert!(error.code() == "store_version" && error.hint().is_some(), "{error:?}");
    // What begins with this program has its version, and no step is taken.
    port.migrate(&PluginId::from("r"), &BOTH).await.expect("there is nothing to do");
    store(&port, "r").set("n/1", &1).await.expect("it writes");
    port.migrate(&PluginId::from("r"), &BOTH).await.expect("there is nothing to do");
    assert_eq!(store(&port, "r").get::<u32>("n/1").await.expect("it reads"), Some(1));
}
