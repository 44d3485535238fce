//! Schedules: fired once, by whoever looks, and run as tasks.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    Caller, Misfire, Overlap, Schedule, ScheduleRecord, Schedules, TaskRecord,
    event::facts::{ScheduleCancelled, ScheduleCreated, ScheduleFired, SessionClear},
};
use tokio::time::sleep;

use super::{
    probe::{Plan, once},
    world::{Kept, PausedClock, Stopped, World, world_on, world_with_schedules},
};
use crate::{
    schedules::SchedulesSettings,
    storage::tasks::Listing,
    tasks::{Scope, TasksSettings},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Looks seldom: over days and years, twice a second is too often to wait for.
fn calm() -> TasksSettings {
    TasksSettings { poll: HOUR / 6, lease: HOUR, ..TasksSettings::default() }
}

async fn world() -> World {
    world_on(&Kept::default(), calm(), Scope::Everything).await
}

impl World {
    fn schedules(&self) -> Schedules {
        Schedules::new(Arc::new(self.book.clone()), "probe".into(), Caller::operator().in_session("terminal"))
    }

    async fn schedule(&self, schedule: Schedule) -> ScheduleRecord {
        self.schedules().add(schedule).await.expect("it is written down")
    }

    /// Returns the runs of a schedule, the first one first.
    async fn runs(&self, name: &str) -> Vec<TaskRecord> {
        let wanted = Listing { limit: 10_000, ..Listing::default() };
        let mut all = self.desk.listing(&wanted).await.expect("it lists");
        all.retain(|task| task.schedule.as_deref() == Some(name));
        all.reverse();
        all
    }

    async fn known(&self, name: &str) -> Option<ScheduleRecord> {
        self.schedules().list(name).await.expect("it lists").into_iter().find(|record| record.schedule.name == name)
    }
}

fn every_hour(name: &str, plan: Plan) -> Schedule {
    Schedule::every(name, HOUR).task(once { plan }).expect("it has a form")
}

#[tokio::test(start_paused = true)]
async fn each_action_is_carried_out_at_its_time() {
    let world = world().await;
    let at = world.desk.now() + HOUR;
    world.schedule(Schedule::at("say", at).message("Tea!")).await;
    world.schedule(Schedule::at("ask", at).prompt("Look at the queue.")).await;
    let event = SessionClear { session: "terminal".into() };
    world.schedule(Schedule::at("emit", at).event(&event).expect("it has a form")).await;
    world.schedule(Schedule::at("work", at).task(once { plan: Plan::Return(3) }).expect("it has a form")).await;
    sleep(Duration::from_secs(3_500)).await;
    assert_eq!((world.outbox.texts().len(), world.people.told().len()), (0, 0));
    sleep(Duration::from_secs(200)).await;
    assert_eq!(world.outbox.texts(), ["Tea!"]);
    assert_eq!(world.people.told(), [("Look at the queue.".to_owned(), true)]);
    assert_eq!(world.facts.facts::<SessionClear>(), [event]);
    assert_eq!(world.runs("work").await[0].result, serde_json::json!(3));
    let created: Vec<ScheduleCreated> = world.facts.facts();
    assert_eq!(created.iter().filter(|created| created.schedule != "tick").count(), 4);
    assert_eq!(world.facts.facts::<ScheduleFired>().len(), 4);
    let left = world.schedules().list("").await.expect("it lists");
    assert!(left.iter().all(|record| record.schedule.name == "tick"), "once is once: {left:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_processes_fire_each_time_once() {
    let kept = Kept::default();
    let one = world_on(&kept, calm(), Scope::Beside).await;
    let other = world_on(&kept, calm(), Scope::Beside).await;
    one.schedule(every_hour("x", Plan::Return(1)).jitter(Duration::from_secs(600))).await;
    sleep(HOUR * 48 + HOUR / 2).await;
    let runs = one.runs("x").await;
    assert_eq!(runs.len(), 48);
    assert!(runs.iter().all(|run| run.attempts == 1));
    let begun: std::collections::BTreeSet<_> = runs.iter().map(|run| run.created.as_second() % 3_600).collect();
    assert!(begun.len() > 20, "they begin at different moments of the hour: {begun:?}");
    let fired = |world: &World| world.facts.facts::<ScheduleFired>().iter().filter(|fired| fired.schedule == "x").count();
    assert_eq!(fired(&one) + fired(&other), 48);
    one.stop().await;
    other.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_run_as_the_schedule_says() {
    for (misfire, away, expected) in [
        (Misfire::Once, HOUR * 10, 1),
        (Misfire::Skip, HOUR * 10, 0),
        (Misfire::All, HOUR * 10, 10),
        (Misfire::All, HOUR * 1_000, 100),
        (Misfire::Once, Duration::from_secs(61 * 60), 1),
        // Four minutes late are in time.
        (Misfire::Skip, Duration::from_secs(64 * 60), 1),
        (Misfire::Skip, Duration::from_secs(66 * 60), 0),
    ] {
        let kept = Kept::default();
        let world = world_on(&kept, calm(), Scope::Everything).await;
        world.schedule(every_hour("x", Plan::Return(1)).misfire(misfire)).await;
        world.stop().await;
        sleep(away).await;
        let world = world_on(&kept, calm(), Scope::Everything).await;
        sleep(Duration::from_secs(30)).await;
        assert_eq!(world.runs("x").await.len(), expected, "{misfire:?} {away:?}");
        sleep(HOUR).await;
        assert_eq!(world.runs("x").await.len(), expected + 1, "{misfire:?} {away:?}: it goes on");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_lasts_longer_than_the_interval_meets_the_next_as_it_says() {
    for (overlap, expected) in [(Overlap::Skip, 2), (Overlap::Queue, 3), (Overlap::Parallel, 3)] {
        let world = world().await;
        // Each lasts an hour and a half.
        let plan = Plan::Wait("never".into(), 5_400);
        world.schedule(every_hour("x", plan).overlap(overlap).pause_after(0)).await;
        sleep(HOUR * 3 + HOUR / 4).await;
        let runs = world.runs("x").await;
        assert_eq!(runs.len(), expected, "{overlap:?}");
        let open = runs.iter().filter(|run| run.attempts > 0 && !run.state.is_terminal()).count();
        assert_eq!(open, if overlap == Overlap::Parallel { 2 } else { 1 }, "{overlap:?}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_run_may_count_from_the_end_of_the_last() {
    let world = world().await;
    let slow = Schedule::after_each("x", HOUR).task(once { plan: Plan::Run(1_800) }).expect("it has a form");
    world.schedule(slow).await;
    sleep(HOUR * 6).await;
    let runs = world.runs("x").await;
    let began: Vec<_> = runs.windows(2).map(|pair| pair[1].created.duration_since(pair[0].created).as_secs() / 60).collect();
    assert_eq!(began, [90, 90, 90]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_again_and_again_rests_and_somebody_is_told() {
    let world = world().await;
    world.schedule(every_hour("x", Plan::Panic).pause_after(2)).await;
    sleep(HOUR * 5).await;
    assert_eq!(world.runs("x").await.len(), 2);
    let record = world.known("x").await.expect("it is there");
    assert_eq!(record.paused.as_deref(), Some("it failed 2 times in a row"));
    let told = world.people.told();
    assert!(told.len() == 1 && told[0].0.contains("probe.x rests") && !told[0].1, "{told:?}");
    let cancelled: Vec<ScheduleCancelled> = world.facts.facts();
    assert_eq!(cancelled.len(), 1);
    assert_eq!(cancelled[0].reason, "it failed 2 times in a row");
    assert!(world.schedules().resume("x").await.expect("it is there"));
    sleep(HOUR + HOUR / 4).await;
    assert_eq!(world.runs("x").await.len(), 3);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_can_rest_be_run_now_end_by_itself_and_be_removed() {
    let world = world().await;
    world.schedule(every_hour("x", Plan::Return(1)).most_runs(3)).await;
    assert!(world.schedules().pause("x").await.expect("it is there"));
    sleep(HOUR * 3).await;
    assert_eq!(world.runs("x").await.len(), 0);
    assert!(world.schedules().run_now("x").await.expect("it is there"));
    sleep(HOUR / 4).await;
    assert_eq!(world.runs("x").await.len(), 1, "it was run, and rests on");
    assert!(world.schedules().resume("x").await.expect("it is there"));
    sleep(HOUR * 9).await;
    assert_eq!(world.runs("x").await.len(), 3);
    assert_eq!(world.known("x").await, None, "it was run as often as it was to be");
    world.schedule(every_hour("y", Plan::Return(1))).await;
    assert!(world.schedules().remove("y").await.expect("it removes"));
    assert!(!world.schedules().remove("y").await.expect("it removes"));
    sleep(HOUR * 2).await;
    assert_eq!(world.runs("y").await.len(), 0);
    assert_eq!(world.facts.facts::<ScheduleCancelled>().len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused() {
    let kept = Kept::default();
    let settings = SchedulesSettings { per_plugin: 3, ..SchedulesSettings::default() };
    let world = world_with_schedules(&kept, calm(), settings, Scope::Everything).await;
    let past = world.desk.now() - HOUR;
    for (wrong, code) in [
        (Schedule::at("x", past).message("late"), "invalid_schedule"),
        (Schedule::cron("x", "0 0 30 2 *").message("never"), "invalid_schedule"),
        (Schedule::cron("x", "every day").message("?"), "invalid_schedule"),
        (Schedule::cron("x", "0 9 * * *").zone("Europe/Atlantis").message("?"), "invalid_schedule"),
        (Schedule::every("x", Duration::from_millis(10)).message("?"), "invalid_schedule"),
        (Schedule::every("", HOUR).message("?"), "invalid_schedule"),
        (Schedule::every("a\nb", HOUR).message("?"), "invalid_schedule"),
    ] {
        let refused = world.schedules().add(wrong.clone()).await.expect_err("it cannot be");
        assert_eq!(refused.code(), code, "{wrong:?}: {refused:?}");
    }
    let nowhere = Schedules::new(Arc::new(world.book.clone()), "probe".into(), Caller::operator());
    assert_eq!(nowhere.add(Schedule::every("x", HOUR).message("?")).await.expect_err("nobody hears it").code(), "no_session");
    for name in ["a", "b", "a"] {
        world.schedule(every_hour(name, Plan::Return(1))).await;
    }
    let refused = world.schedules().add(every_hour("c", Plan::Return(1))).await.expect_err("it is full");
    assert!(refused.code() == "busy" && refused.message().contains("`schedules.per_plugin`"), "{refused:?}");
    let stranger = Schedules::new(Arc::new(world.book.clone()), "other".into(), Caller::operator());
    assert_eq!(stranger.list("").await.expect("it lists"), []);
    assert!(!stranger.remove("a").await.expect("it looks") && !stranger.pause("a").await.expect("it looks"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_function_says_itself_when_it_is_called_and_what_an_operator_did_to_it_stays() {
    let kept = Kept::default();
    let world = world_on(&kept, calm(), Scope::Everything).await;
    let declared = world.known("tick").await.expect("it is declared");
    assert!(declared.is_declared && declared.next.is_some());
    sleep(HOUR * 24).await;
    assert_eq!(world.counted("ticks").await, 1);
    world.book.pause_of("probe", "tick", true).await.expect("it writes");
    world.stop().await;
    let world = world_on(&kept, calm(), Scope::Everything).await;
    sleep(HOUR * 48).await;
    assert_eq!(world.counted("ticks").await, 1, "it rests on");
    assert_eq!(world.known("tick").await.map(|record| record.runs), Some(1));
    world.stop().await;
}

#[test]
fn ten_years_pass_and_each_day_was_one_run() {
    const YEARS: u32 = 10;
    const DAYS: u32 = 3_652;
    let day = HOUR * 24;
    // What is looked at again and again is so seldom: the work wakes up by itself when something is due.
    let settings = TasksSettings { poll: day, lease: day * 30, keep: day * 3_000, ..TasksSettings::default() };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let mut kept = runtime().block_on(async { Kept::default() });
    kept.clock = Arc::new(Stopped(jiff::Timestamp::from_second(1_893_499_200).expect("a moment")));
    let mut fired = 0;
    // A process to a year: the timers of a runtime reach a little over two.
    for year in 0..YEARS {
        fired += runtime().block_on(async {
            let base = kept.clock.now();
            kept.clock = Arc::new(PausedClock::showing(base));
            let world = world_on(&kept, settings.clone(), Scope::Everything).await;
            if year == 0 {
                let daily = Schedule::cron("daily", "30 2 * * *").zone("Europe/Berlin");
                world.schedule(daily.task(once { plan: Plan::Return(1) }).expect("it has a form")).await;
            }
            sleep(day * DAYS / YEARS).await;
            let record = world.known("daily").await.expect("it is there");
            assert_eq!(record.failures, 0);
            let facts: Vec<ScheduleFired> = world.facts.facts();
            let fired = facts.iter().filter(|fired| fired.schedule == "daily").count();
            world.stop().await;
            // The runtime's clock is read for the last time.
            kept.clock = Arc::new(Stopped(kept.clock.now()));
            fired
        });
    }
    assert_eq!(fired, DAYS as usize);
}
