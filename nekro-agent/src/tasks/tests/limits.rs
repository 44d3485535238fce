//! What there may be at most, and what is nobody else's business.

use std::{sync::Arc, time::Duration};

use nekro_core::{Caller, TaskId, TaskState, Tasks};
use tokio::time::sleep;

use super::{
    probe::{Plan, met, once, work},
    world::{Kept, world, world_on, world_with},
};
use crate::tasks::{Scope, TasksSettings};

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_are_allowed() {
    for (place, settings, expected) in [
        ("kind", TasksSettings::default(), 3),
        ("plugin", TasksSettings { per_plugin: 2, ..TasksSettings::default() }, 2),
        ("all", TasksSettings { concurrency: 1, ..TasksSettings::default() }, 1),
    ] {
        let world = world_with(settings).await;
        let mut tasks = Vec::new();
        for _ in 0..12 {
            tasks.push(world.start(work { plan: Plan::Meet(place.into()) }).await);
        }
        for task in &tasks {
            assert_eq!(world.end(task).await.state, TaskState::Succeeded);
        }
        assert_eq!(met(place), expected, "{place}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_leaves_its_place_to_others() {
    let world = world_with(TasksSettings { concurrency: 1, ..TasksSettings::default() }).await;
    let waiting = world.start(work { plan: Plan::Wait("answer".into(), 3_600) }).await;
    sleep(Duration::from_secs(1)).await;
    let other = world.start(work { plan: Plan::Return(1) }).await;
    assert_eq!(world.end(&other).await.state, TaskState::Succeeded);
    assert_eq!(world.find(&waiting).await.state, TaskState::Waiting);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_so_and_which_limit_that_is() {
    let world = world_with(TasksSettings { queue: 3, ..TasksSettings::default() }).await;
    for _ in 0..3 {
        world.start(once { plan: Plan::Wait("answer".into(), 60) }).await;
    }
    let refused = world.tasks().start(once { plan: Plan::Return(1) }).await.expect_err("it is full");
    assert!(refused.code() == "busy" && refused.is_retryable() && refused.message().contains("`tasks.queue`"), "{refused:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_refused_wherever_it_comes_from() {
    let world = world_with(TasksSettings { bytes: 100, ..TasksSettings::default() }).await;
    let long = "x".repeat(200);
    let refused = world.tasks().start(once { plan: Plan::Speak(long.clone()) }).await.expect_err("it is too large");
    assert!(refused.code() == "too_large" && refused.message().contains("`tasks.bytes`"), "{refused:?}");
    let task = world.start(once { plan: Plan::Wait("answer".into(), 60) }).await;
    assert_eq!(world.tasks().notify(&task, "answer", &long).await.expect_err("it is too large").code(), "too_large");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_of_one_name_is_started_once() {
    let world = world().await;
    let one = world.tasks().start_once("daily", work { plan: Plan::Return(1) }).await.expect("it is kept");
    assert_eq!(world.tasks().start_once("daily", work { plan: Plan::Return(2) }).await.expect("it is known"), one);
    world.end(&one).await;
    assert_eq!(world.tasks().start_once("daily", work { plan: Plan::Return(3) }).await.expect("it is known"), one);
    assert_ne!(world.tasks().start_once("weekly", work { plan: Plan::Return(3) }).await.expect("it is kept"), one);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn another_plugins_tasks_are_not_there() {
    let world = world().await;
    let task = world.start(once { plan: Plan::Wait("answer".into(), 60) }).await;
    let stranger = Tasks::new(Arc::new(world.desk.clone()), "other".into(), Caller::operator());
    assert_eq!(stranger.list(None, 10).await.expect("it lists"), []);
    assert_eq!(stranger.get(&task).await.expect("it looks"), None);
    assert_eq!(stranger.cancel(&task).await.expect_err("it is not there").code(), "unknown_task");
    assert_eq!(stranger.notify(&task, "answer", &1).await.expect_err("it is not there").code(), "unknown_task");
    assert_eq!(stranger.start(once { plan: Plan::Return(1) }).await.expect_err("it is not its own").code(), "forbidden");
    for wrong in ["", "t", "t-1", "12", "t99999999999999999999", "t1; DROP TABLE task", "t999"] {
        let wrong = TaskId::from(wrong);
        assert_eq!(world.tasks().cancel(&wrong).await.expect_err("it is not there").code(), "unknown_task", "{wrong}");
    }
    assert!(!world.find(&task).await.state.is_terminal());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_ended_long_ago_is_forgotten() {
    let kept = Kept::default();
    let settings = TasksSettings { keep: Duration::from_secs(3_600), ..TasksSettings::default() };
    let world = world_on(&kept, settings, Scope::Everything).await;
    let task = world.start(work { plan: Plan::Return(1) }).await;
    world.end(&task).await;
    sleep(Duration::from_secs(3_000)).await;
    world.find(&task).await;
    sleep(Duration::from_secs(2_000)).await;
    assert_eq!(world.desk.find(&task).await.expect_err("it is gone").code(), "unknown_task");
    let next = world.start(work { plan: Plan::Return(1) }).await;
    assert_ne!(next, task, "no two tasks have one id");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_task_is_retried_as_another_one() {
    let world = world().await;
    let task = world.start(once { plan: Plan::FailFirst(1) }).await;
    assert_eq!(world.end(&task).await.state, TaskState::Failed);
    let again = world.desk.retry(&task).await.expect("it failed");
    assert_eq!(world.end(&again).await.state, TaskState::Failed, "each counts its own runs");
    assert_eq!(world.find(&task).await.retried_as, Some(again.clone()));
    let good = world.start(once { plan: Plan::Return(1) }).await;
    world.end(&good).await;
    assert_eq!(world.desk.retry(&good).await.expect_err("it has not failed").code(), "not_failed");
    world.stop().await;
}
