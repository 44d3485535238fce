//! A worker as its host sees it: a child process and a socket.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as BlockingStream, unix::process::ExitStatusExt},
    process::{Child, Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use rustix::{buffer::spare_capacity, net::RecvFlags};
use tokio::{
    io::AsyncWriteExt,
    net::UnixStream,
    sync::oneshot,
    time::{Instant, timeout},
};

use crate::{
    Confinement, image,
    protocol::{self, HEADER, Header, Kind, Ready, Token},
    worker::{ASKED, Orders},
};

/// How long a worker may take until it waits for its first script. It takes milliseconds; a machine may be busy.
const START: Duration = Duration::from_secs(20);
/// How long the next frame is looked for before the runtime is left to wait for it.
const LOOK: Duration = Duration::from_micros(20);
/// Whether there is a processor for the other end while one end looks.
pub(crate) static LOOKS: LazyLock<bool> =
    LazyLock::new(|| thread::available_parallelism().is_ok_and(|processors| processors.get() > 1));
/// How long the first frame of a worker may be.
const MOST_READY: usize = 64 << 10;

/// The thread that starts workers and sees them off.
///
/// The kernel ends a worker with the *thread* that started it, so that must be one that lives as long as the pool does.
#[derive(Clone, Debug)]
pub(crate) struct Spawner(mpsc::Sender<Job>);

#[derive(Debug)]
enum Job {
    Start { orders: String, reply: oneshot::Sender<io::Result<(Child, BlockingStream)>> },
    SeeOff(Child),
}

impl Spawner {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel();
        thread::Builder::new().name("nekro-sandbox".into()).spawn(move || {
            for job in todo {
                match job {
                    Job::Start { orders, reply } => {
                        if let Err(Ok((child, _))) = reply.send(start(&orders)) {
                            see_off(child);
                        }
                    }
                    Job::SeeOff(child) => see_off(child),
                }
            }
        })?;
        Ok(Self(jobs))
    }
}

fn start(orders: &str) -> io::Result<(Child, BlockingStream)> {
    let (ours, theirs) = BlockingStream::pair()?;
    let image = image::image()?.try_clone()?;
    // `/proc/self/exe` is this binary even after the file on the disk was replaced.
    let child = Command::new("/proc/self/exe")
        .args([ASKED, orders])
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(image)
        .stderr(Stdio::null())
        .spawn()?;
    Ok((child, ours))
}

/// Kills a worker and waits until nothing of it is left.
fn see_off(mut child: Child) {
    // Both fail only if it is gone already.
    _ = child.kill();
    _ = child.wait();
}

/// Why a worker cannot be talked with any longer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Its end of the socket is closed.
    Gone,
    /// It said what it must not say.
    Protocol(&'static str),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A worker process. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Worker {
    stream: UnixStream,
    child: Option<Child>,
    spawner: Spawner,
    input: Vec<u8>,
    pub(crate) confinement: Confinement,
    pub(crate) since: Instant,
    pub(crate) scripts: u32,
}

impl Worker {
    /// Starts one and waits until it is confined.
    pub(crate) async fn start(spawner: &Spawner, orders: &Orders) -> io::Result<Self> {
        let (reply, started) = oneshot::channel();
        let orders = serde_json::to_string(orders).expect("a list of layers has a text");
        spawner.0.send(Job::Start { orders, reply }).map_err(|_| io::Error::other("the thread that starts workers is gone"))?;
        let (child, stream) = started.await.map_err(|_| io::Error::other("the thread that starts workers is gone"))??;
        // From here on the process is seen off, whatever fails.
        stream.set_nonblocking(true)?;
        let mut worker = Self {
            stream: UnixStream::from_std(stream)?,
            child: Some(child),
            spawner: spawner.clone(),
            input: Vec::with_capacity(16 << 10),
            confinement: Confinement::default(),
            since: Instant::now(),
            scripts: 0,
        };
        let said =
            timeout(START, worker.receive(MOST_READY)).await.map_err(|_| io::Error::other("the worker did not start in time"))?;
        let ready = match said {
            Ok((header, body)) if header.kind == Kind::Ready => serde_json::from_slice::<Ready>(&body).ok(),
            _ => None,
        };
        match ready {
            Some(ready) if ready.version == protocol::VERSION => worker.confinement = ready.confinement,
            Some(_) => return Err(io::Error::other("the worker is another version of this program")),
            None => return Err(io::Error::other(format!("the worker did not start: {}", worker.last_words().await))),
        }
        Ok(worker)
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Sends frames that were encoded already.
    pub(crate) async fn send(&mut self, frames: &[u8]) -> Result<(), Broken> {
        Ok(self.stream.write_all(frames).await?)
    }

    /// Sends one frame.
    pub(crate) async fn send_frame(&mut self, kind: Kind, token: Token, body: &[u8]) -> Result<(), Broken> {
        let mut frame = Vec::with_capacity(HEADER + body.len());
        protocol::encode(&mut frame, kind, token, &[body]);
        self.send(&frame).await
    }

    /// Waits for a frame whose body is not longer than `most`. Dropped while it waits, it loses nothing.
    pub(crate) async fn receive(&mut self, most: usize) -> Result<(Header, Vec<u8>), Broken> {
        loop {
            if let Some((header, rest)) = self.input.split_first_chunk::<HEADER>() {
                let header = Header::read(header, most).map_err(|_| Broken::Protocol("a frame that is too long or unknown"))?;
                if let Some(body) = rest.get(..header.length) {
                    let body = body.to_vec();
                    self.input.drain(..HEADER + header.length);
                    return Ok((header, body));
                }
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        self.input.reserve(4 << 10);
        // The clock of the machine: under one that stands still this would never end.
        let begun = std::time::Instant::now();
        while *LOOKS && begun.elapsed() < LOOK {
            // The runtime does not know yet what came a moment ago; others run meanwhile.
            match rustix::net::recv(&self.stream, spare_capacity(&mut self.input), RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Err(Broken::Gone),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => tokio::task::yield_now().await,
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        loop {
            match self.stream.try_read_buf(&mut self.input) {
                Ok(0) => return Err(Broken::Gone),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.readable().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until the worker does what it must not do now: speak, or end.
    pub(crate) async fn out_of_turn(&mut self) -> Broken {
        if !self.input.is_empty() {
            return Broken::Protocol("a frame out of turn");
        }
        match self.fill().await {
            Ok(()) => Broken::Protocol("a frame out of turn"),
            Err(broken) => broken,
        }
    }

    /// Tells whether an idle worker is still there and silent.
    pub(crate) fn is_well(&mut self) -> bool {
        let mut byte = [0; 1];
        self.input.is_empty()
            && matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Says how a worker came to its end.
    pub(crate) async fn last_words(&mut self) -> String {
        let Some(mut child) = self.child.take() else { return "it is gone".into() };
        // The socket closes a moment before the process can be waited for.
        for _ in 0..50 {
            match child.try_wait() {
                Ok(Some(status)) => {
                    return match status.signal() {
                        Some(libc::SIGSYS) => "it made a system call that is not allowed".into(),
                        Some(libc::SIGSEGV | libc::SIGBUS) => "it reached for memory that it does not have".into(),
                        Some(libc::SIGABRT) => "it gave up".into(),
                        Some(libc::SIGKILL) => "it was killed".into(),
                        Some(signal) => format!("signal {signal} ended it"),
                        None => format!("it ended with {}", status.code().unwrap_or(-1)),
                    };
                }
                Ok(None) => tokio::time::sleep(Duration::from_millis(2)).await,
                Err(_) => break,
            }
        }
        self.child = Some(child);
        "it closed its socket".into()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // At once; what is left is waited for elsewhere.
            _ = child.kill();
            if let Err(mpsc::SendError(Job::SeeOff(child))) = self.spawner.0.send(Job::SeeOff(child)) {
                see_off(child);
            }
        }
    }
}
