//! A process that writes is killed at random moments: nothing that it was told is safe may be lost.

use std::{
    collections::BTreeMap,
    io::Read,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use nekro_core::{Expected, Scope, SessionId, StorePort};

use super::Place;
use crate::{
    history::{Body, HistoryPort, rules::says},
    ports::SystemClock,
    storage::{DataDirectory, Health, Storage},
};

/// Where the child writes.
const DIRECTORY: &str = "NEKRO_TEST_KILL_DIRECTORY";
/// How often a child is killed.
const KILLS: u64 = 300;
/// After how many kills it is looked at what is there. In between, the next child finds what the last one left.
const LOOK_AFTER: u64 = 10;
/// The longest life of a child.
const LONGEST_LIFE: Duration = Duration::from_millis(60);
/// How many write at once, each to its own session.
const WRITERS: usize = 4;
/// How many messages are written at once.
const TOGETHER: u64 = 3;

#[test]
#[ignore = "it is the child of the test below"]
fn the_child_writes_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let storage = Arc::new(Storage::new(DataDirectory::new(directory), Arc::new(SystemClock)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write_on(Arc::clone(&storage), writer))).collect();
        for writer in writers {
            writer.await.expect("it does not end");
        }
    });
}

async fn write_on(storage: Arc<Storage>, writer: usize) {
    let session = SessionId::from(format!("s{writer}"));
    let scope = Scope { plugin: "p".into(), session: None, user: None };
    let key = format!("count of {writer}");
    loop {
        let messages = vec![says("one"), says("two"), says(&"three".repeat(500))];
        let written = storage.append(&session, messages).await.expect("it writes");
        println!("safe {session} {}", written[2].number);
        let old = storage.get(&scope, &key).await.expect("it reads");
        let count = old.as_ref().map_or(0, |old| old.json.parse::<u64>().expect("a number")) + 1;
        let expected = old.map_or(Expected::Absent, |old| Expected::Version(old.version));
        assert!(storage.put(&scope, &key, expected, Some(count.to_string().into())).await.expect("it writes"));
        println!("safe v{writer} {count}");
    }
}

/// Starts a child, kills it after a while, and returns what it said.
fn live(place: &Place, life: Duration) -> String {
    let this = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(this)
        .args(["--exact", "storage::tests::kill::the_child_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DIRECTORY, place.directory().path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program starts");
    std::thread::sleep(life);
    child.kill().expect("it is there");
    let mut said = String::new();
    // The last line may have been cut off in the middle of a letter, but there are none of several bytes.
    child.stdout.take().expect("it was piped").read_to_string(&mut said).expect("it says text");
    let mut complaints = String::new();
    child.stderr.take().expect("it was piped").read_to_string(&mut complaints).expect("it says text");
    let status = child.wait().expect("it has ended");
    assert!(status.code().is_none(), "the child ended by itself: {said}\n{complaints}");
    said
}

#[test]
fn nothing_that_was_said_to_be_safe_is_lost_when_the_process_is_killed() {
    let place = Place::new();
    let mut safe: BTreeMap<String, u64> = BTreeMap::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut lives = 0;
    for kill in 1..=KILLS {
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("chance");
        let life = Duration::from_nanos(u64::from_le_bytes(random) % LONGEST_LIFE.as_nanos() as u64);
        // Only whole lines: what follows the last break may be half a number.
        let said = live(&place, life);
        let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let told = whole.lines().filter_map(|line| line.split_once("safe ")?.1.split_once(' '));
        let mut any = false;
        for (what, number) in told {
            any = true;
            let number: u64 = number.parse().expect("a number");
            safe.entry(what.to_owned()).and_modify(|old| *old = number.max(*old)).or_insert(number);
        }
        lives += u64::from(any);
        if kill % LOOK_AFTER == 0 {
            runtime.block_on(look(&place, &safe));
        }
    }
    assert!(lives > KILLS / 10, "most children lived long enough to write: {lives}");
}

async fn look(place: &Place, safe: &BTreeMap<String, u64>) {
    let storage = place.storage();
    assert!(matches!(storage.health().await.expect("it looks"), Health::Good | Health::Absent));
    let scope = Scope { plugin: "p".into(), session: None, user: None };
    for writer in 0..WRITERS {
        let session = SessionId::from(format!("s{writer}"));
        let messages = storage.messages(&session, None, usize::MAX, true).await.expect("it lists");
        let count = messages.len() as u64;
        assert!(count >= safe.get(session.as_str()).copied().unwrap_or(0), "{session} lost messages");
        assert_eq!(count % TOGETHER, 0, "{session} has a part of what was written at once");
        assert!(messages.iter().rev().map(|message| message.number).eq(1..=count), "{session} has gaps");
        let whole = |body: &Body| matches!(body, Body::Person { text, .. } if text.len() == 3 || text.len() == 2_500);
        assert!(messages.iter().all(|message| whole(&message.body)), "{session} has a message that is half written");
        let known = storage.session(&session).await.expect("it reads").map_or(0, |session| session.messages);
        assert_eq!(known, count);
        let stored = storage.get(&scope, &format!("count of {writer}")).await.expect("it reads");
        let stored = stored.map_or(0, |stored| stored.json.parse::<u64>().expect("a number"));
        assert!(stored >= safe.get(&format!("v{writer}")).copied().unwrap_or(0), "a value was lost");
    }
    // The next child finds the file as a killed process leaves it, and not as one that closed it: this one is the first to close it.
    storage.close().await;
}
