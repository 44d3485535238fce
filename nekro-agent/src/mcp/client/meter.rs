//! How much a server says: what is too long or too much ends the connection, and the reason is kept.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::watch,
    time::Instant,
};

/// Counts the messages of one connection.
#[derive(Debug)]
pub(super) struct Meter {
    most: u32,
    second: Mutex<(Instant, u32)>,
    ended: watch::Sender<Option<String>>,
}

impl Meter {
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, second: Mutex::new((Instant::now(), 0)), ended: watch::Sender::new(None) })
    }

    /// Counts a message; `false` if it is one too many.
    pub(super) fn count(&self) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.0.elapsed() >= Duration::from_secs(1) {
            *second = (Instant::now(), 0);
        }
        second.1 = second.1.saturating_add(1);
        let fits = second.1 <= self.most;
        drop(second);
        if !fits {
            self.end(format!("it sent more than {} messages in a second (`messages_per_second`)", self.most));
        }
        fits
    }

    /// Ends the connection. The first reason is kept.
    pub(super) fn end(&self, reason: String) {
        self.ended.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(reason);
            is_first
        });
    }

    /// Returns why the connection was ended, if it was ended here.
    pub(super) fn reason(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits until the connection is to end.
    pub(super) async fn ended(&self) {
        // The sender lives as long as this.
        let _ = self.ended.subscribe().wait_for(Option::is_some).await;
    }
}

/// The output of a server, line by line: none is longer than allowed, and there are not too many.
pub(super) struct Metered<R> {
    inner: R,
    meter: Arc<Meter>,
    line: usize,
    longest: usize,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R, meter: Arc<Meter>, longest: usize) -> Self {
        Self { inner, meter, line: 0, longest }
    }

    fn look(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (at, piece) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                self.line = 0;
                if !self.meter.count() {
                    return Err(io::Error::other("too many messages"));
                }
            }
            self.line += piece.len();
            if self.line > self.longest {
                self.meter.end(format!("one of its messages has more than {} bytes (`message_bytes`)", self.longest));
                return Err(io::Error::other("a message is too long"));
            }
        }
        Ok(())
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Metered<R> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let looked = self.look(&buffer.filled()[before..]);
        if looked.is_err() {
            // Whoever is told of an error is given nothing.
            buffer.set_filled(before);
        }
        Poll::Ready(looked)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn read(text: &[u8], longest: usize, most: u32) -> Option<String> {
        let meter = Meter::new(most);
        let mut read = Vec::new();
        let result = Metered::new(text, Arc::clone(&meter), longest).read_to_end(&mut read).await;
        assert_eq!(result.is_err(), meter.reason().is_some());
        meter.reason()
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_too_long_ends_the_connection() {
        assert_eq!(read(b"12345\n12345\n", 5, 9).await, None);
        let reason = read(b"12345\n123456\n", 5, 9).await;
        assert_eq!(reason.as_deref(), Some("one of its messages has more than 5 bytes (`message_bytes`)"));
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_messages_fit_into_a_second() {
        assert_eq!(read(b"1\n2\n3\n", 5, 3).await, None);
        assert!(read(b"1\n2\n3\n4\n", 5, 3).await.is_some_and(|reason| reason.contains("more than 3 messages")));
        let meter = Meter::new(1);
        assert!(meter.count());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(meter.count() && !meter.count());
    }
}
