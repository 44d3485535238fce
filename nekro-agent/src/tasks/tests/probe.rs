//! Tasks of the plugin that the tests have: each does as it is told.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{Error, Result, Store, Task, TaskEnd, schedule, task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a task does.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Plan {
    /// Returns this.
    Return(u64),
    /// Fails so often, and then returns how often it was begun.
    FailFirst(u32),
    Panic,
    /// Runs for so many seconds.
    Run(u64),
    /// Runs for so many milliseconds.
    Nap(u64),
    /// Waits for a notice so many seconds, and returns it.
    Wait(String, u64),
    /// Starts children, and returns the sum of what they return.
    Children(Vec<Plan>),
    /// Starts children, and waits for ever.
    Leave(Vec<Plan>),
    /// Counts up by checkpoints, with a second between two.
    Count(u64),
    /// Tells its progress very often.
    Chatter,
    /// Is here with so many others at once, at most.
    Meet(String),
    /// Tells the agent something.
    Speak(String),
}

/// How many are in a place, and were at most.
static PLACES: Mutex<Option<HashMap<String, (usize, usize)>>> = Mutex::new(None);

struct Here(String);

impl Here {
    fn enter(place: String) -> Self {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, most) = places.get_or_insert_default().entry(place.clone()).or_default();
        *now += 1;
        *most = (*now).max(*most);
        Self(place)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        places.get_or_insert_default().entry(std::mem::take(&mut self.0)).or_default().0 -= 1;
    }
}

/// Returns how many were in a place at most.
pub(super) fn met(place: &str) -> usize {
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    places.as_ref().and_then(|places| places.get(place)).map_or(0, |(_, most)| *most)
}

/// Counts something in the store.
pub(super) async fn count(store: &Store, what: &str) -> Result<()> {
    store.update(what, |count: Option<u64>| count.unwrap_or(0) + 1).await.map(drop)
}

async fn carry_out(task: &Task, store: &Store, plan: Plan, is_swift: bool) -> Result<u64> {
    count(store, &format!("runs of {}", task.id())).await?;
    match plan {
        Plan::Return(value) => Ok(value),
        Plan::FailFirst(times) if task.attempt() <= times => Err(Error::new("not yet").with_code("early")),
        Plan::FailFirst(_) => Ok(task.attempt().into()),
        Plan::Panic => panic!("as the test wants"),
        Plan::Run(seconds) => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(seconds)
        }
        Plan::Nap(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(milliseconds)
        }
        Plan::Wait(name, seconds) => {
            let notice: Option<u64> = task.wait(&name, Duration::from_secs(seconds)).await?;
            notice.ok_or_else(|| Error::new("nobody said anything").with_code("unanswered"))
        }
        Plan::Children(plans) => {
            let mut sum = 0;
            let mut children = Vec::new();
            for (at, plan) in plans.into_iter().enumerate() {
                children.push(match is_swift {
                    true => task.start(format!("child {at}"), swift { plan }).await?,
                    false => task.start(format!("child {at}"), work { plan }).await?,
                });
            }
            for child in &children {
                sum += task.join::<u64>(child).await?;
            }
            Ok(sum)
        }
        Plan::Leave(plans) => {
            for (at, plan) in plans.into_iter().enumerate() {
                task.start(format!("child {at}"), work { plan }).await?;
            }
            std::future::pending().await
        }
        Plan::Count(to) => {
            let mut at: u64 = task.last_checkpoint()?.unwrap_or(0);
            while at < to {
                tokio::time::sleep(Duration::from_secs(1)).await;
                at += 1;
                task.progress(u8::try_from(at * 100 / to).unwrap_or(100), format!("{at} of {to}"));
                task.checkpoint(&at).await?;
                count(store, &format!("steps of {}", task.id())).await?;
            }
            Ok(at)
        }
        Plan::Chatter => {
            for at in 0..1_000_u32 {
                task.progress(u8::try_from(at / 10).unwrap_or(100), at.to_string());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(1_000)
        }
        Plan::Meet(place) => {
            let _here = Here::enter(place);
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(0)
        }
        Plan::Speak(text) => {
            task.notify_agent(text, true).await?;
            Ok(0)
        }
    }
}

/// Does as it is told.
#[task(retries = 2, backoff = "1s", deadline = "1m", concurrency = 3, on_terminal = ended)]
pub(super) async fn work(
    task: &Task,
    store: &Store,
    /// What to do.
    plan: Plan,
) -> Result<u64> {
    carry_out(task, store, plan, false).await
}

/// The same, without long rests.
#[task(retries = 2, backoff = "5ms", concurrency = 16, on_terminal = ended)]
pub(super) async fn swift(
    task: &Task,
    store: &Store,
    /// What to do.
    plan: Plan,
) -> Result<u64> {
    carry_out(task, store, plan, true).await
}

/// The same, in quiet: nobody is called at the end, nothing is tried again, and it is cancelled with its plugin.
#[task(when_disabled = cancel)]
pub(super) async fn once(
    task: &Task,
    store: &Store,
    /// What to do.
    plan: Plan,
) -> Result<u64> {
    carry_out(task, store, plan, false).await
}

/// Notes how a task ended.
#[task(retries = 3)]
async fn ended(
    store: &Store,
    /// How.
    end: TaskEnd,
) -> Result<()> {
    count(store, &format!("ends of {}", end.task)).await?;
    store.set(&format!("end of {}", end.task), &end).await
}

/// Counts the days.
#[schedule(cron = "0 3 * * *", zone = "Europe/Berlin")]
async fn tick(store: &Store) -> Result<()> {
    count(store, "ticks").await
}
