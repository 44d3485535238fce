//! What a task goes through.

use std::time::Duration;

use nekro_core::{TaskEnd, TaskState, event::facts::TaskEnded};
use serde_json::json;
use tokio::time::sleep;

use super::{
    probe::{Plan, once, work},
    world::{Kept, world, world_on},
};
use crate::tasks::{Scope, TasksSettings};

#[tokio::test(start_paused = true)]
async fn a_task_runs_is_kept_and_its_end_is_told_once() {
    let world = world().await;
    let task = world.start(work { plan: Plan::Return(7) }).await;
    let ended = world.end(&task).await;
    assert_eq!((ended.state, ended.result, ended.progress, ended.attempts), (TaskState::Succeeded, json!(7), 100, 1));
    let end = world.noted(&task).await;
    assert_eq!((end.task, end.name.as_str(), end.result), (task.clone(), "probe.work", json!(7)));
    let facts: Vec<TaskEnded> = world.facts.facts();
    assert_eq!(facts.iter().filter(|fact| fact.task == task).count(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_is_tried_again_later_and_then_counts_as_dead() {
    for (plan, state, attempts, code) in [
        (Plan::FailFirst(2), TaskState::Succeeded, 3, Some("early")),
        (Plan::FailFirst(9), TaskState::Failed, 3, Some("early")),
        (Plan::Panic, TaskState::Failed, 3, Some("panicked")),
        (Plan::Run(61), TaskState::Failed, 3, Some("deadline")),
        (Plan::Run(59), TaskState::Succeeded, 1, None),
    ] {
        let world = world().await;
        let began = tokio::time::Instant::now();
        let task = world.start(work { plan: plan.clone() }).await;
        let ended = world.end(&task).await;
        assert_eq!((ended.state, ended.attempts), (state, attempts), "{plan:?}");
        let told = ended.problem.map(|problem| problem.code);
        assert_eq!(told.as_deref(), code.filter(|_| state == TaskState::Failed), "{plan:?}");
        assert_eq!(world.counted(&format!("runs of {task}")).await, u64::from(attempts), "{plan:?}");
        assert_eq!(world.noted(&task).await.state, state);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(world.counted(&format!("ends of {task}")).await, 1, "{plan:?}");
        // The back-off of one second, and then of two.
        let least = if attempts == 3 { 3 } else { 0 };
        assert!(began.elapsed() >= Duration::from_secs(least), "{plan:?}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_hours_and_is_given_what_it_waits_for() {
    let world = world().await;
    let task = world.start(work { plan: Plan::Wait("answer".into(), 8 * 3_600) }).await;
    // Its own limit is a minute, without the time that it waits.
    sleep(Duration::from_secs(7 * 3_600)).await;
    let waiting = world.find(&task).await;
    assert_eq!((waiting.state, waiting.waits_for.as_deref()), (TaskState::Waiting, Some("answer")));
    assert!(world.tasks().notify(&task, "answer", &3).await.expect("it is there"));
    assert!(!world.tasks().notify(&task, "answer", &4).await.expect("it is there"), "the first one counts");
    assert_eq!(world.end(&task).await.result, json!(3));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_notice_may_come_before_it_is_waited_for_and_not_after() {
    let world = world().await;
    let later = world.desk.now() + Duration::from_secs(10);
    let task = world.tasks().start_at(later, work { plan: Plan::Wait("answer".into(), 60) }).await.expect("it is kept");
    assert!(world.tasks().notify(&task, "answer", &5).await.expect("it is there"));
    assert_eq!(world.find(&task).await.state, TaskState::Queued);
    assert_eq!(world.end(&task).await.result, json!(5));

    let task = world.start(once { plan: Plan::Wait("answer".into(), 60) }).await;
    let ended = world.end(&task).await;
    assert_eq!(ended.problem.map(|problem| problem.code).as_deref(), Some("unanswered"));
    assert!(!world.tasks().notify(&task, "answer", &5).await.expect("it is there"), "it has ended");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_it_is_doing_a_task_can_be_cancelled() {
    let world = world().await;
    let later = world.desk.now() + Duration::from_secs(3_600);
    let queued = world.tasks().start_at(later, work { plan: Plan::Return(1) }).await.expect("it is kept");
    let running = world.start(work { plan: Plan::Run(50) }).await;
    let waiting = world.start(work { plan: Plan::Wait("answer".into(), 3_600) }).await;
    sleep(Duration::from_secs(5)).await;
    for task in [queued, running, waiting] {
        assert!(world.tasks().cancel(&task).await.expect("it is there"));
        let ended = world.end(&task).await;
        assert_eq!(ended.state, TaskState::Cancelled, "{ended:?}");
        assert_eq!(world.noted(&task).await.state, TaskState::Cancelled);
        assert!(!world.tasks().cancel(&task).await.expect("it is there"), "it has ended");
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn children_work_for_their_parent_and_end_with_it() {
    let world = world().await;
    let plans = (1..=5).map(Plan::Return).chain([Plan::Children(vec![Plan::Return(10)])]).collect();
    let task = world.start(work { plan: Plan::Children(plans) }).await;
    assert_eq!(world.end(&task).await.result, json!(25));

    let plans = vec![Plan::Run(3_000), Plan::Leave(vec![Plan::Wait("x".into(), 9_999)]), Plan::Wait("y".into(), 9_999)];
    let task = world.start(once { plan: Plan::Leave(plans) }).await;
    sleep(Duration::from_secs(5)).await;
    world.tasks().cancel(&task).await.expect("it is there");
    sleep(Duration::from_secs(5)).await;
    let all = world.tasks().list(None, 100).await.expect("it lists");
    let open: Vec<_> = all.iter().filter(|task| !task.state.is_terminal()).collect();
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(all.iter().filter(|task| task.state == TaskState::Cancelled).count(), 5);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_is_its_parents_error() {
    let world = world().await;
    let task = world.start(once { plan: Plan::Children(vec![Plan::FailFirst(99)]) }).await;
    let problem = world.end(&task).await.problem.expect("it failed");
    assert_eq!((problem.code.as_str(), problem.message.as_str()), ("early", "not yet"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_plugin_rests_its_tasks_or_cancels_them_as_it_says() {
    let world = world().await;
    let rests = world.start(work { plan: Plan::Count(20) }).await;
    let dies = world.start(once { plan: Plan::Count(20) }).await;
    let later = world.desk.now() + Duration::from_secs(3_600);
    let dies_too = world.tasks().start_at(later, once { plan: Plan::Return(1) }).await.expect("it is kept");
    sleep(Duration::from_millis(7_500)).await;
    world.kernel.disable("probe").await.expect("nobody requires it");
    for task in [dies, dies_too] {
        assert_eq!(world.end(&task).await.state, TaskState::Cancelled);
    }
    sleep(Duration::from_secs(60)).await;
    let resting = world.find(&rests).await;
    assert_eq!((resting.state, resting.progress), (TaskState::Queued, 35));
    world.kernel.enable("probe").await.expect("it starts");
    let ended = world.end(&rests).await;
    assert_eq!((ended.state, ended.attempts, ended.result), (TaskState::Succeeded, 2, json!(20)));
    assert_eq!(world.counted(&format!("steps of {rests}")).await, 20, "no step was taken twice");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_next_process_goes_on_from_the_last_checkpoint() {
    let kept = Kept::default();
    let first = world_on(&kept, TasksSettings::default(), Scope::Everything).await;
    let counting = first.start(work { plan: Plan::Count(10) }).await;
    let waiting = first.start(work { plan: Plan::Wait("answer".into(), 3_600) }).await;
    sleep(Duration::from_millis(4_500)).await;
    first.stop().await;
    sleep(Duration::from_secs(600)).await;
    let second = world_on(&kept, TasksSettings::default(), Scope::Everything).await;
    assert_eq!(second.end(&counting).await.result, json!(10));
    assert_eq!(second.counted(&format!("steps of {counting}")).await, 10);
    // The hour began in the first process.
    sleep(Duration::from_secs(3_000)).await;
    let problem = second.end(&waiting).await.problem.expect("nobody answered");
    assert_eq!(problem.code, "unanswered");
    let end: TaskEnd = second.noted(&waiting).await;
    assert_eq!(end.state, TaskState::Failed);
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_the_model_started_is_told_to_it_when_it_has_ended() {
    use nekro_core::{Caller, Origin, Role, Tasks};

    let world = world().await;
    let caller = Caller::new(Origin::Model, Role::User).in_session("terminal");
    let tasks = Tasks::new(std::sync::Arc::new(world.desk.clone()), "probe".into(), caller.clone());
    let spoke = tasks.start(once { plan: Plan::Speak("halfway".into()) }).await.expect("it is kept");
    world.end(&spoke).await;
    assert_eq!(world.people.told(), [("halfway".to_owned(), true)]);
    let new = nekro_core::NewTask::new(<work as nekro_core::TaskArguments>::DECL, r#"{"plan":{"return":3}}"#.into(), caller);
    let mut new = new;
    new.tell = true;
    let told = nekro_core::TasksPort::start(&world.desk, new).await.expect("it is kept");
    world.end(&told).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.people.told()[1..], [(format!("The task {told} (probe.work) has ended: 3"), true)]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn progress_is_shown_as_it_comes_and_kept_now_and_then() {
    let world = world().await;
    let task = world.start(once { plan: Plan::Chatter }).await;
    let mut seen = 0;
    world.desk.follow(&task, |_| seen += 1).await.expect("it is there");
    assert_eq!(world.people.seen().len(), 1_000);
    assert!((3..20).contains(&seen), "{seen} times kept in a second");
    assert_eq!(world.find(&task).await.text, "999");
    world.stop().await;
}
