//! A connection that can be cut: once a router has taken one over, as for a WebSocket, nobody else could end it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Notify, OwnedSemaphorePermit},
};

use super::patience::{Answering, Patience};

/// A connection, with its place among those there may be.
pub(super) struct Line<S> {
    stream: S,
    cut: Arc<Cut>,
    patience: Patience,
    // While the far end is slow to take what is written.
    full: Option<Answering>,
    _place: OwnedSemaphorePermit,
}

/// Cuts a connection.
#[derive(Debug, Default)]
pub(super) struct Cut {
    is_watched: AtomicBool,
    is_cut: AtomicBool,
    reader: AtomicWaker,
    gone: Notify,
}

impl<S> Line<S> {
    pub(super) fn new(stream: S, place: OwnedSemaphorePermit, patience: Patience) -> (Self, Arc<Cut>) {
        let cut = Arc::<Cut>::default();
        (Self { stream, cut: Arc::clone(&cut), patience, full: None, _place: place }, cut)
    }

    /// Notes whether something could be written.
    fn noted<T>(&mut self, written: Poll<T>) -> Poll<T> {
        if written.is_pending() {
            self.full.get_or_insert_with(|| self.patience.answering());
        } else if self.full.is_some() {
            self.full = None;
        }
        written
    }
}

impl Cut {
    /// Lets the connection be cut: whoever reads from it from now on comes to its end then. Before, it costs no reader anything.
    pub(super) fn watch(&self) {
        self.is_watched.store(true, Ordering::Release);
    }

    /// Ends the connection: whoever reads from it comes to its end.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Waits until the connection has gone.
    pub(super) async fn gone(&self) {
        self.gone.notified().await;
    }

    fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }
}

impl<S> Drop for Line<S> {
    fn drop(&mut self) {
        self.cut.gone.notify_one();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.cut.is_watched.load(Ordering::Acquire) {
            // In this order: one that is cut between the two is noticed.
            self.cut.reader.register(context.waker());
            if self.cut.is_cut() {
                return Poll::Ready(Ok(()));
            }
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Semaphore,
        time::{self, Instant},
    };

    use super::*;

    fn place() -> (Arc<Semaphore>, OwnedSemaphorePermit) {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().expect("it is free");
        (places, place)
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_to_read_is_waited_for() {
        const MOST: Duration = Duration::from_secs(10);
        let patience = Patience::new();
        let (mut far, near) = tokio::io::duplex(4);
        let (mut line, _cut) = Line::new(near, place().1, patience.clone());
        let ends = patience.ends(MOST);
        tokio::pin!(ends);
        let writing = tokio::spawn(async move {
            line.write_all(b"12345678").await.expect("it is open");
            line
        });
        assert!(time::timeout(10 * MOST, &mut ends).await.is_err());
        far.read_exact(&mut [0; 8]).await.expect("it was written");
        let (_line, begun) = (writing.await.expect("it writes"), Instant::now());
        ends.await;
        assert_eq!(begun.elapsed(), MOST);
    }

    #[tokio::test]
    async fn a_line_that_is_cut_comes_to_its_end_and_gives_its_place_back() {
        let (places, place) = place();
        let (mut far, near) = tokio::io::duplex(100);
        let (mut line, cut) = Line::new(near, place, Patience::new());
        far.write_all(b"before").await.expect("it is open");
        let mut read = [0; 6];
        line.read_exact(&mut read).await.expect("it was written");
        cut.watch();
        let reading = tokio::spawn(async move { line.read(&mut [0; 1]).await.expect("it comes to its end") });
        tokio::task::yield_now().await;
        cut.cut();
        assert_eq!((&read, reading.await.expect("it reads")), (b"before", 0));
        cut.gone().await;
        assert_eq!(places.available_permits(), 1);
    }
}
