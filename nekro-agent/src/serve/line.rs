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

/// A connection, with its place among those there may be.
pub(super) struct Line<S> {
    stream: S,
    cut: Arc<Cut>,
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
    pub(super) fn new(stream: S, place: OwnedSemaphorePermit) -> (Self, Arc<Cut>) {
        let cut = Arc::<Cut>::default();
        (Self { stream, cut: Arc::clone(&cut), _place: place }, cut)
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
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
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
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::Semaphore,
    };

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_cut_comes_to_its_end_and_gives_its_place_back() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().expect("it is free");
        let (mut far, near) = tokio::io::duplex(100);
        let (mut line, cut) = Line::new(near, place);
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
