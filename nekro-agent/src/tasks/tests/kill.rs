//! A process that runs tasks is killed at random moments, until all have ended: none may be lost, none end twice, and no end go untold.

use std::{
    collections::BTreeMap,
    io::Read,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use nekro_core::{ClockPort, TaskId, TaskState};
use rusqlite::Connection;
use serde_json::json;

use super::{
    probe::{Plan, swift},
    world::{Kept, World, world_on},
};
use crate::{
    ports::SystemClock,
    storage::{DataDirectory, Ledger, Storage, tasks::Listing},
    tasks::{Scope, TasksSettings},
};

/// Where the child works.
const DIRECTORY: &str = "NEKRO_TEST_TASKS_DIRECTORY";
/// The shortest and the longest life of a child, after it has begun to work.
const LIFE: (u64, u64) = (5, 300);
/// The fewest kills that prove anything, and the most until all must have ended.
const KILLS: (u32, u32) = (30, 2_000);

/// The tasks that are started: how many, what they do and how they end. With the children they are a thousand.
fn all() -> Vec<(usize, Plan, TaskState)> {
    let family = vec![Plan::Return(1), Plan::FailFirst(1), Plan::Wait("answer".to_owned(), 3_600)];
    let orphans = vec![Plan::Wait("never".to_owned(), 3_600)];
    vec![
        (280, Plan::Return(1), TaskState::Succeeded),
        (100, Plan::Nap(20), TaskState::Succeeded),
        (100, Plan::FailFirst(2), TaskState::Succeeded),
        (60, Plan::FailFirst(u32::MAX), TaskState::Failed),
        (40, Plan::Panic, TaskState::Failed),
        (60, Plan::Wait("answer".to_owned(), 3_600), TaskState::Succeeded),
        (20, Plan::Wait("soon".to_owned(), 0), TaskState::Failed),
        (70, Plan::Children(family), TaskState::Succeeded),
        (20, Plan::Children(orphans), TaskState::Cancelled),
        (20, Plan::Wait("never".to_owned(), 3_600), TaskState::Cancelled),
    ]
}

const CHILDREN: usize = 70 * 3 + 20;

fn kept(directory: DataDirectory) -> (Arc<Storage>, Kept) {
    let clock: Arc<dyn ClockPort> = Arc::new(SystemClock);
    let storage = Arc::new(Storage::new(directory, Arc::clone(&clock)));
    let kept = Kept { ledger: Ledger::Disk(Arc::clone(&storage)), values: Arc::clone(&storage) as _, clock };
    (storage, kept)
}

fn settings() -> TasksSettings {
    TasksSettings {
        concurrency: 24,
        per_plugin: 24,
        most_lost: u32::MAX - 1,
        poll: Duration::from_millis(50),
        ..TasksSettings::default()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
#[ignore = "it is the child of the test below"]
fn the_child_works_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    runtime().block_on(async {
        let (_storage, kept) = kept(DataDirectory::new(directory));
        let world = world_on(&kept, settings(), Scope::Everything).await;
        println!("begun");
        loop {
            answer(&world).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

/// Gives those that wait what they wait for, and cancels those that wait for what never comes.
async fn answer(world: &World) {
    let wanted = Listing { state: Some(TaskState::Waiting), limit: 1_000, ..Listing::default() };
    for task in world.desk.listing(&wanted).await.expect("it lists") {
        match task.waits_for.as_deref() {
            Some("answer") => {
                world.desk.notify_of(None, &task.id, "answer", "2".to_owned()).await.expect("it is there");
            }
            Some("never") => {
                // The whole family.
                let whom = task.parent.as_ref().unwrap_or(&task.id);
                world.desk.cancel_of(None, whom).await.expect("it is there");
            }
            _ => {}
        }
    }
}

/// Starts a child, kills it after a while, and returns whether it had begun to work.
fn live(directory: &DataDirectory) {
    let this = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(this)
        .args(["--exact", "tasks::tests::kill::the_child_works_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory.path())
        // Some of its tasks panic, and what that prints would take most of its life.
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts");
    let mut out = child.stdout.take().expect("it was piped");
    let (mut said, mut byte) = (String::new(), [0]);
    while !said.contains("begun") && out.read(&mut byte).expect("it says text") > 0 {
        said.push(char::from(byte[0]));
    }
    assert!(said.contains("begun"), "the child ended by itself: {said}");
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("chance");
    std::thread::sleep(Duration::from_millis(LIFE.0 + u64::from_le_bytes(random) % (LIFE.1 - LIFE.0)));
    child.kill().expect("it is there");
    assert!(child.wait().expect("it has ended").code().is_none(), "the child ended by itself");
}

#[test]
fn no_task_is_lost_or_ends_twice_and_every_end_is_told_when_the_process_is_killed() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = DataDirectory::new(place.path().join("data"));
    let runtime = runtime();
    let mut expected: BTreeMap<TaskId, TaskState> = BTreeMap::new();
    runtime.block_on(async {
        let (storage, kept) = kept(directory.clone());
        // Beside: it writes down and runs nothing that it could finish.
        let world = world_on(&kept, TasksSettings { concurrency: 0, ..settings() }, Scope::Beside).await;
        for (count, plan, state) in all() {
            for _ in 0..count {
                expected.insert(world.start(swift { plan: plan.clone() }).await, state);
            }
        }
        world.stop().await;
        storage.close().await;
    });
    let watch = Connection::open(directory.database()).expect("a database");
    watch
        .execute_batch(
            "CREATE TABLE end_of_test (task INTEGER);
             CREATE TRIGGER watch AFTER UPDATE OF ended ON task BEGIN INSERT INTO end_of_test VALUES (new.number); END",
        )
        .expect("it watches");
    let count = |sql: &str| -> usize { watch.query_row(sql, [], |row| row.get(0)).expect("a number") };
    watch.busy_timeout(Duration::from_secs(10)).expect("it waits");
    let mut kills = 0;
    while kills < KILLS.0 || count("SELECT count(*) FROM task WHERE ended IS NULL") > 0 {
        kills += 1;
        assert!(kills <= KILLS.1, "tasks still had not ended after {kills} kills");
        live(&directory);
    }
    let is_whole: String = watch.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).expect("it looks");
    assert_eq!(is_whole, "ok");
    assert_eq!(count("SELECT count(*) FROM task WHERE name = 'swift'"), 1_000, "none is lost, and none is there twice");
    assert_eq!(count("SELECT count(*) FROM task WHERE parent IS NOT NULL"), CHILDREN);
    assert_eq!(count("SELECT count(*) FROM task WHERE name = 'ended'"), 1_000, "every end is told, and once");
    assert_eq!(count("SELECT count(*) FROM task WHERE name = 'ended' AND state <> 'succeeded'"), 0);
    assert_eq!(count("SELECT count(*) FROM end_of_test"), 2_000, "each ended once");
    assert_eq!(count("SELECT count(DISTINCT task) FROM end_of_test"), 2_000);
    runtime.block_on(async {
        let (storage, kept) = kept(directory.clone());
        let world = world_on(&kept, settings(), Scope::Beside).await;
        for (task, state) in &expected {
            let record = world.find(task).await;
            assert_eq!(record.state, *state, "{record:?}");
            let end = world.noted(task).await;
            assert_eq!((end.task, end.state, end.result), (task.clone(), *state, record.result.clone()));
            if record.arguments
                == json!({ "plan": { "children": [{ "return": 1 }, { "fail_first": 1 }, { "wait": ["answer", 3_600] }] } })
            {
                assert!(record.result.as_u64().is_some_and(|sum| sum >= 1 + 2 + 2), "{record:?}");
            }
        }
        world.stop().await;
        storage.close().await;
    });
    println!("{kills} kills");
}
