//! How long a connection waits for the head of its next request.
//!
//! Such a deadline is set for every request, and nearly always given up at once. The runtime's timer is shared by all connections, so it is
//! set for the first deadline of a connection and left as it is: when it rings, it is set for the one that holds by then.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Instant,
};

use hyper::rt::{Sleep, Timer};
use tokio::time;

type Alarm = Arc<Mutex<Option<Pin<Box<time::Sleep>>>>>;

/// The deadlines of one connection, of which one holds at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Alarm);

/// One deadline.
#[derive(Debug)]
struct Until {
    deadline: time::Instant,
    alarm: Alarm,
}

impl Timer for Patience {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { deadline: deadline.into(), alarm: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into()
    }
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Nothing panics while it is held.
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = alarm.get_or_insert_with(|| Box::pin(time::sleep_until(self.deadline)));
        if alarm.deadline() > self.deadline {
            alarm.as_mut().reset(self.deadline);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_deadline_rings_at_its_own_time_whatever_came_before() {
        let patience = Patience::default();
        let begun = time::Instant::now();
        let after = |seconds| patience.sleep_until((begun + Duration::from_secs(seconds)).into());
        // Given up, after it was waited for.
        assert!(time::timeout(Duration::ZERO, after(10)).await.is_err());
        for (seconds, expected) in [(30, 30), (5, 30), (40, 40)] {
            after(seconds).await;
            assert_eq!(begun.elapsed(), Duration::from_secs(expected));
        }
        assert!(time::timeout(Duration::ZERO, after(60)).await.is_err());
        after(50).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(50), "an earlier one than was waited for");
    }
}
