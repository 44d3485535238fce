//! How far a call has come, for whoever makes it: a turn, the command line, an MCP client.
//!
//! A plugin reports without waiting and as often as it likes; the newest report is kept until it may be passed on. That happens within the
//! future of the call, so nothing is told of a call that has ended, or that was given up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nekro_core::{ProgressFollower, ProgressPort, ProgressReport, kernel::Kernel};
use tokio::{sync::Notify, time::sleep};

use crate::beside::{Beside, Pace, beside};

tokio::task_local! {
    // Who follows the call that is being made.
    static FOLLOWED: Arc<Newest>;
}

/// The port of `&Progress`.
#[derive(Debug)]
pub(crate) struct Reports;

impl ProgressPort for Reports {
    fn follower(&self) -> Option<Arc<dyn ProgressFollower>> {
        FOLLOWED.try_with(|newest| Arc::clone(newest) as _).ok()
    }
}

/// Makes a call of a tool, and tells `tell` how far it has come, if it is one that says so.
pub(crate) async fn of_tool<T, F>(
    kernel: &Kernel,
    tool: &str,
    call: impl Future<Output = T>,
    tell: impl FnMut(ProgressReport) -> F + Send,
) -> T
where
    F: Future<Output = ()> + Send,
{
    match kernel.tool(tool) {
        Some(tool) if tool.has_progress() => {}
        _ => return call.await,
    }
    // Boxed: a call of which nothing is told does not carry the other's state.
    Box::pin(follow(kernel.limits().progress_per_second, call, tell)).await
}

/// Makes a call, and tells `tell` how far it has come: so often in a second at most, and once more with the last word.
pub(crate) async fn follow<T, F>(
    per_second: u32,
    call: impl Future<Output = T>,
    tell: impl FnMut(ProgressReport) -> F + Send,
) -> T
where
    F: Future<Output = ()> + Send,
{
    if per_second == 0 {
        return call.await;
    }
    let newest = Arc::new(Newest::default());
    let call = FOLLOWED.scope(Arc::clone(&newest), call);
    let telling = Telling { newest, pace: Mutex::new(Pace::new(per_second)), tell: Mutex::new(tell) };
    beside(call, &telling).await
}

/// The newest report that was not told yet.
#[derive(Default)]
struct Newest {
    report: Mutex<Option<ProgressReport>>,
    news: Notify,
}

impl ProgressFollower for Newest {
    fn report(&self, report: ProgressReport) {
        *lock(&self.report) = Some(report);
        self.news.notify_one();
    }
}

struct Telling<F> {
    newest: Arc<Newest>,
    pace: Mutex<Pace>,
    tell: Mutex<F>,
}

impl<F, G> Beside for Telling<F>
where
    F: FnMut(ProgressReport) -> G + Send,
    G: Future<Output = ()> + Send,
{
    async fn due(&self) {
        // What was reported while the last one waited has been told with it.
        while lock(&self.newest.report).is_none() {
            self.newest.news.notified().await;
        }
        loop {
            let counted = lock(&self.pace).count();
            match counted {
                Ok(()) => return,
                Err(wait) => sleep(wait).await,
            }
        }
    }

    async fn act(&self) {
        let report = lock(&self.newest.report).take();
        let told = report.map(|report| lock(&self.tell)(report));
        if let Some(told) = told {
            told.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{future::ready, time::Duration};

    use nekro_core::Progress;

    use super::*;

    fn progress() -> Progress {
        Progress::new(Reports.follower())
    }

    /// Makes a call that is followed, and returns what was told of it, and when.
    async fn told<T>(per_second: u32, call: impl Future<Output = T>) -> (T, Vec<(u128, f64)>) {
        let began = tokio::time::Instant::now();
        let mut told = Vec::new();
        let done = follow(per_second, call, |report| {
            told.push((began.elapsed().as_millis(), report.done()));
            ready(())
        });
        (done.await, told)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_reported_slowly_is_told_at_once_and_the_last_word_before_the_answer() {
        let call = async {
            let progress = progress();
            for done in [0, 50, 100] {
                progress.done_of(done, 100, "");
                if done < 100 {
                    sleep(Duration::from_millis(50)).await;
                }
            }
            "answer"
        };
        assert_eq!(told(20, call).await, ("answer", vec![(0, 0.0), (50, 50.0), (100, 100.0)]));
    }

    #[tokio::test(start_paused = true)]
    async fn of_what_is_reported_too_fast_the_newest_is_told() {
        let call = async {
            let progress = progress();
            for done in 0..2_500 {
                progress.done(done, "");
                sleep(Duration::from_millis(1)).await;
            }
        };
        let ((), told) = told(3, call).await;
        let done: Vec<_> = told.iter().map(|(_, done)| *done).collect();
        assert_eq!(told.len(), 10, "{told:?}");
        assert_eq!((done[0], done[3], done[9]), (0.0, 1_000.0, 2_499.0), "{told:?}");
        assert!(done.is_sorted(), "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_slow_keeps_nobody_waiting_until_the_answer() {
        let began = tokio::time::Instant::now();
        let call = async {
            let progress = progress();
            for done in 0..100 {
                progress.done(done, "");
                tokio::task::yield_now().await;
            }
            began.elapsed()
        };
        let seen = Mutex::new(Vec::new());
        let seen = &seen;
        let tell = |report: ProgressReport| async move {
            sleep(Duration::from_secs(1)).await;
            lock(seen).push(report.done());
        };
        let took = follow(20, call, tell).await;
        assert_eq!(took, Duration::ZERO, "the call itself did not wait");
        assert_eq!(*lock(seen), [1.0, 99.0], "what was begun is told to its end, and then the last word");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_told_after_the_answer_or_if_none_may_be() {
        let (kept, before) = told(20, async { progress() }).await;
        kept.done(1, "too late");
        assert_eq!(before, []);
        let call = async {
            assert!(!progress().is_followed());
        };
        assert_eq!(told(0, call).await.1, []);
        assert!(!progress().is_followed(), "nobody follows what is no call");
    }
}
