//! What goes on beside a call: telling somebody how far it has come, and what its plugin writes to the log.

use std::{pin::pin, time::Duration};

use tokio::time::Instant;

/// Something that goes on beside a call. Implemented for whoever is told of it, called while the call waits.
pub(crate) trait Beside: Sync {
    /// Waits until there is something to do. It is given up when the call ends.
    fn due(&self) -> impl Future<Output = ()> + Send;

    /// Does it; nothing, if there is nothing. It is brought to its end, also when the call has ended meanwhile.
    fn act(&self) -> impl Future<Output = ()> + Send;

    /// Does what is left when the call has ended.
    fn end(&self) -> impl Future<Output = ()> + Send {
        self.act()
    }
}

/// Makes a call, with something beside it. Whatever that does is done when the answer is returned.
pub(crate) async fn beside<T>(call: impl Future<Output = T>, other: &impl Beside) -> T {
    let mut call = pin!(call);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut call => break done,
            () = other.due() => {}
        }
        let mut act = pin!(other.act());
        tokio::select! {
            biased;
            done = &mut call => {
                act.await;
                break done;
            }
            () = &mut act => {}
        }
    };
    other.end().await;
    done
}

/// Counts what is passed on: so much in a second, and no more.
#[derive(Debug)]
pub(crate) struct Pace {
    most: u32,
    since: Instant,
    count: u32,
}

impl Pace {
    const SECOND: Duration = Duration::from_secs(1);

    pub(crate) fn new(most: u32) -> Self {
        Self { most, since: Instant::now(), count: 0 }
    }

    /// Counts one more; returns how long it has to wait if it is one too many, and is not counted.
    pub(crate) fn count(&mut self) -> Result<(), Duration> {
        let passed = self.since.elapsed();
        if passed >= Self::SECOND {
            (self.since, self.count) = (Instant::now(), 0);
        }
        if self.count >= self.most {
            return Err(Self::SECOND.saturating_sub(self.since.elapsed()).max(Duration::from_millis(1)));
        }
        self.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_much_passes_in_a_second_and_no_more() {
        let mut pace = Pace::new(2);
        assert_eq!([pace.count(), pace.count()], [Ok(()), Ok(())]);
        tokio::time::advance(Duration::from_millis(400)).await;
        assert_eq!(pace.count(), Err(Duration::from_millis(600)));
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!([pace.count(), pace.count(), pace.count()], [Ok(()), Ok(()), Err(Duration::from_secs(1))]);
        assert!(Pace::new(0).count().is_err());
    }
}
