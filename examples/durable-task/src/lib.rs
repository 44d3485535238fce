//! Work that takes long, goes on where it was interrupted, and is tidied up at night: see `tests/primes.rs`.

#![forbid(unsafe_code)]

use std::time::Duration;

use nekro_core::prelude::*;

/// Counts prime numbers, in the background.
#[plugin(id = "primes")]
pub struct Primes;

/// How many numbers are looked at before it is written down how far the count has come.
const BLOCK: u32 = 10_000;

/// For how long a count is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How far a count has come: what the next run begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoFar {
    /// Every number below this one has been looked at.
    pub next: u32,
    /// How many of them are primes.
    pub primes: u32,
}

/// A count that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// When.
    pub at: Timestamp,
    /// How many there are.
    pub primes: u32,
}

/// Counts the prime numbers below another.
///
/// With `tool`, a model may start it, too: it goes on talking, and is told the end. It may be interrupted anywhere, and begin again.
#[task(tool, retries = 3, on_terminal = told)]
async fn count(
    task: &Task,
    clock: &Clock,
    store: &Store,
    /// The number.
    #[arg(range = 2..=10_000_000)]
    below: u32,
) -> Result<u32> {
    let mut so_far = task.last_checkpoint()?.unwrap_or(SoFar { next: 2, primes: 0 });
    while so_far.next < below {
        let end = so_far.next.saturating_add(BLOCK).min(below);
        let found = (so_far.next..end).filter(|number| is_prime(*number)).count();
        so_far = SoFar { next: end, primes: so_far.primes + u32::try_from(found)? };
        // On the disk when this returns: whatever happens from here on, nothing before it is counted again.
        task.checkpoint(&so_far).await?;
        let percent = u64::from(so_far.next) * 100 / u64::from(below);
        task.progress(u8::try_from(percent)?, format!("{} primes below {}", so_far.primes, so_far.next));
    }
    // Written twice, it is the same: a task runs at least once.
    store.set(&key(below), &Counted { at: clock.now(), primes: so_far.primes }).await?;
    Ok(so_far.primes)
}

/// Writes down that a count has ended: it is started once, whatever became of that.
#[task]
async fn told(
    store: &Store,
    /// How it ended.
    end: TaskEnd,
) -> Result<()> {
    store.set("last", &format!("{} {}", end.task, end.state.name())).await
}

/// Forgets the counts of last week, in the night of whoever lives in Berlin.
#[schedule(cron = "30 3 * * *", zone = "Europe/Berlin")]
async fn forget(clock: &Clock, store: &Store) -> Result<()> {
    let mut after = None;
    loop {
        let page = store.list::<Counted>("count/", after.as_deref(), 100).await?;
        for (key, counted) in page.items {
            if counted.at.checked_add(KEPT).is_ok_and(|until| until < clock.now()) {
                store.remove(&key).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Tells how many prime numbers there are below another, if that has been counted.
#[tool(read_only)]
async fn known(
    store: &Store,
    /// The number.
    below: u32,
) -> Result<Option<u32>> {
    Ok(store.get::<Counted>(&key(below)).await?.map(|counted| counted.primes))
}

fn key(below: u32) -> String {
    format!("count/{below}")
}

fn is_prime(number: u32) -> bool {
    number >= 2 && (2..).take_while(|factor| factor * factor <= number).all(|factor| !number.is_multiple_of(factor))
}
