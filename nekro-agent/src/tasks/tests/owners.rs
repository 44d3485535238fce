//! Several processes on one data directory.

use std::time::Duration;

use nekro_core::{TaskProblem, TaskState};
use serde_json::json;
use tokio::time::sleep;

use super::{
    probe::{Plan, once, work},
    world::{Kept, world_on},
};
use crate::{
    storage::tasks::{self, BESIDE, Claimed, Ending, Lease, Room},
    tasks::{Scope, TasksSettings},
};

fn room() -> Room {
    let kinds = vec![("probe".to_owned(), "work".to_owned(), 10), ("probe".to_owned(), "once".to_owned(), 10)];
    Room { all: 10, of_plugin: 10, kinds, root: None, session: None }
}

/// Takes what is due, as a process does that is never heard of again.
async fn claim_and_die(kept: &Kept) -> Vec<Claimed> {
    let now = kept.clock.now();
    let lease = Lease { owner: "dead".to_owned(), until: now + Duration::from_secs(30) };
    kept.ledger.write(move |db| tasks::claim(db, &room(), &lease, now)).await.expect("it writes")
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_the_work_and_nothing_is_done_twice() {
    let kept = Kept::default();
    let one = world_on(&kept, TasksSettings::default(), Scope::Beside).await;
    let other = world_on(&kept, TasksSettings::default(), Scope::Beside).await;
    let mut all = Vec::new();
    for number in 0..200 {
        all.push(if number % 2 == 0 { &one } else { &other }.start(work { plan: Plan::Return(number) }).await);
    }
    for (number, task) in all.iter().enumerate() {
        assert_eq!(one.end(task).await.result, json!(number));
        one.noted(task).await;
        assert_eq!(one.counted(&format!("runs of {task}")).await, 1);
        assert_eq!(one.counted(&format!("ends of {task}")).await, 1);
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_dead_process_is_taken_over_when_its_lease_has_run_out() {
    let kept = Kept::default();
    let world = world_on(&kept, TasksSettings::default(), Scope::Beside).await;
    world.kernel.disable("probe").await.expect("nobody requires it");
    let task = world.start(work { plan: Plan::Return(4) }).await;
    let claimed = claim_and_die(&kept).await;
    assert_eq!(claimed.len(), 1);
    world.kernel.enable("probe").await.expect("it starts");
    sleep(Duration::from_secs(25)).await;
    assert_eq!(world.find(&task).await.state, TaskState::Running, "its owner may still live");
    let ended = world.end(&task).await;
    assert_eq!((ended.result, ended.attempts), (json!(4), 2));
    // The dead process was only slow. What it writes now does not count.
    let (run, now) = (claimed[0].run, kept.clock.now());
    let ending = Ending {
        state: TaskState::Failed,
        result: None,
        problem: Some(TaskProblem { code: "late".into(), message: "late".into() }),
    };
    let written = kept.ledger.write(move |db| {
        tasks::progress(db, run, 1, "late")?;
        assert!(!tasks::checkpoint(db, run, "1")? && !tasks::release(db, run, now)? && !tasks::waits(db, run, Some("x"))?);
        tasks::finish(db, run, &ending, now)
    });
    assert_eq!(written.await.expect("it writes"), []);
    assert_eq!(world.find(&task).await.state, TaskState::Succeeded);
    world.noted(&task).await;
    assert_eq!(world.counted(&format!("ends of {task}")).await, 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_only_process_at_work_waits_for_no_lease() {
    let kept = Kept::default();
    let world = world_on(&kept, TasksSettings::default(), Scope::Beside).await;
    world.kernel.disable("probe").await.expect("nobody requires it");
    let task = world.start(work { plan: Plan::Return(4) }).await;
    assert_eq!(claim_and_die(&kept).await.len(), 1);
    world.stop().await;
    let began = kept.clock.now();
    let next = world_on(&kept, TasksSettings::default(), Scope::Everything).await;
    assert_eq!(next.end(&task).await.result, json!(4));
    assert!(kept.clock.now().duration_since(began).as_secs() < 5);
    next.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_be_at_work_takes_nothing_from_a_process_beside() {
    let kept = Kept::default();
    let beside = world_on(&kept, TasksSettings::default(), Scope::Session("terminal".into())).await;
    let task = beside.start(work { plan: Plan::Run(20) }).await;
    sleep(Duration::from_secs(1)).await;
    let agent = world_on(&kept, TasksSettings::default(), Scope::Everything).await;
    let ended = agent.end(&task).await;
    assert_eq!((ended.state, ended.attempts), (TaskState::Succeeded, 1));
    // One that has died loses its task when the lease has run out.
    beside.kernel.disable("probe").await.expect("nobody requires it");
    agent.kernel.disable("probe").await.expect("nobody requires it");
    let task = beside.start(work { plan: Plan::Return(4) }).await;
    let now = kept.clock.now();
    let lease = Lease { owner: format!("{BESIDE}dead"), until: now + Duration::from_secs(30) };
    let claimed = kept.ledger.write(move |db| tasks::claim(db, &room(), &lease, now)).await.expect("it writes");
    assert_eq!(claimed.len(), 1);
    agent.kernel.enable("probe").await.expect("it starts");
    sleep(Duration::from_secs(25)).await;
    assert_eq!(agent.find(&task).await.state, TaskState::Running);
    assert_eq!(agent.end(&task).await.result, json!(4));
    agent.stop().await;
    beside.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_has_lost_a_task_gives_it_up() {
    let kept = Kept::default();
    let world = world_on(&kept, TasksSettings::default(), Scope::Beside).await;
    let task = world.start(work { plan: Plan::Run(50) }).await;
    sleep(Duration::from_secs(1)).await;
    // Somebody took this process for dead, as after a long sleep of the machine.
    let now = kept.clock.now();
    let later = now + Duration::from_secs(31);
    kept.ledger.write(move |db| tasks::take_back(db, later, 9, now).map(drop)).await.expect("it writes");
    assert_eq!(claim_and_die(&kept).await.len(), 1);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(world.counted(&format!("runs of {task}")).await, 1);
    assert_eq!(world.find(&task).await.state, TaskState::Running, "it is the other's");
    assert_eq!(world.end(&task).await.state, TaskState::Succeeded, "which died");
    assert_eq!(world.counted(&format!("runs of {task}")).await, 2);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_takes_its_process_with_it_again_and_again_fails() {
    let kept = Kept::default();
    let world = world_on(&kept, TasksSettings { most_lost: 3, ..TasksSettings::default() }, Scope::Beside).await;
    world.kernel.disable("probe").await.expect("nobody requires it");
    let task = world.start(work { plan: Plan::Return(4) }).await;
    for _ in 0..4 {
        assert_eq!(claim_and_die(&kept).await.len(), 1);
        sleep(Duration::from_secs(31)).await;
    }
    let ended = world.end(&task).await;
    assert_eq!((ended.state, ended.attempts), (TaskState::Failed, 4));
    let problem = ended.problem.expect("it failed");
    assert!(problem.code == "lost" && problem.message.contains("`tasks.most_lost`"), "{problem:?}");
    world.kernel.enable("probe").await.expect("it starts");
    assert_eq!(world.noted(&task).await.state, TaskState::Failed);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_run_for_one_command_is_that_and_its_children() {
    let kept = Kept::default();
    let world = world_on(&kept, TasksSettings::default(), Scope::Only(2)).await;
    let other = world.start(once { plan: Plan::Return(1) }).await;
    let wanted = world.start(work { plan: Plan::Children(vec![Plan::Return(2), Plan::Return(3)]) }).await;
    assert_eq!((wanted.as_str(), world.end(&wanted).await.result), ("t2", json!(5)));
    assert_eq!(world.noted(&wanted).await.state, TaskState::Succeeded);
    assert_eq!(world.find(&other).await.state, TaskState::Queued);
    world.stop().await;
}
