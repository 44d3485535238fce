//! What is typed while something is under way: the prompt is not there then, and the terminal itself makes lines.

#[cfg(unix)]
use std::{
    io::{Read, stdin},
    time::Duration,
};

#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often it is looked whether a line was typed. A thread that reads could not be called back when the prompt is.
#[cfg(unix)]
const TICK: Duration = Duration::from_millis(50);

/// The most bytes that are read at once: more than any line that a terminal makes.
#[cfg(unix)]
const MOST_BYTES: usize = 64 * 1024;

/// Whether lines are read while something is under way.
pub(super) const IS_READ: bool = cfg!(unix);

/// Returns the next line that is typed; nothing if the terminal has ended the input.
#[cfg(unix)]
pub(super) async fn line() -> Option<String> {
    const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    let stdin = stdin();
    while !poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&NOW)).is_ok_and(|ready| ready > 0) {
        tokio::time::sleep(TICK).await;
    }
    let mut bytes = vec![0; MOST_BYTES];
    // A terminal gives one line.
    let count = stdin.lock().read(&mut bytes).ok()?;
    bytes.truncate(count);
    (count > 0).then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Elsewhere it waits in the terminal until the prompt is back.
#[cfg(not(unix))]
pub(super) async fn line() -> Option<String> {
    std::future::pending().await
}
