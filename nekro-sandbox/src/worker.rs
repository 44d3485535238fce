//! The worker: this very binary, started anew with nothing but a socket, which runs one script after the other.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

use rustix::net::RecvFlags;
use serde::{Deserialize, Serialize};

use crate::{
    Confinement, Layer, confine,
    engine::{Engine, Port, Python, Ran, Task},
    protocol::{self, Begin, Finish, HEADER, Header, Kind, Ready, Token, Told},
};

/// The first argument of a worker.
pub(crate) const ASKED: &str = "nekro-sandbox-worker";
/// Where the host put the image: the standard output.
const IMAGE: &str = "/proc/self/fd/1";
/// What a host may send at once. The host is this binary, and trusted; the number only keeps a mistake from becoming a large allocation.
const MOST: usize = 256 << 20;
/// How long a call looks for its answer before it sleeps: a plain function answers sooner than a sleeping process wakes.
const LOOK: Duration = Duration::from_micros(50);
/// How much printed text is worth a message of its own.
const FLUSH_AT: usize = 8 << 10;

/// The environment of a worker is empty, so its settings are its second argument.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// Layers that a test switched off.
    pub(crate) off: BTreeSet<Layer>,
    /// Whether a call looks for its answer before it sleeps.
    pub(crate) looks: bool,
    /// What the worker of a test plays; its `main` looks at it, and nothing here does.
    pub(crate) play: String,
}

/// Becomes a worker, if this process was started as one, and does not return then. Call it first in `main`, before anything is read,
/// opened or started: a worker must have one thread and no secret.
pub fn worker_main_if_asked() {
    // As the system has them: an argument of anybody else's may be no text.
    let mut arguments = std::env::args_os();
    if arguments.nth(1).is_none_or(|first| first != ASKED) {
        return;
    }
    let orders = arguments.next().and_then(|text| serde_json::from_str(text.to_str()?).ok()).unwrap_or_default();
    // Whoever waits at the other end of the socket sees it close, and that is all there is to say.
    std::process::exit(i32::from(serve(&orders).is_err()))
}

fn serve(orders: &Orders) -> io::Result<()> {
    let mut confinement = confine::early(&orders.off);
    keep_memory();
    let mut engine = Python::load(Path::new(IMAGE)).map_err(|error| io::Error::other(error.to_string()))?;
    confine::enter(&orders.off, &mut confinement);
    run(&mut engine, Wire::new(orders.looks), confinement)
}

/// Keeps the memory that an interpreter is made in for the next one, instead of giving it back in between.
#[cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "the allocator's settings have no safe form"))]
fn keep_memory() {
    // SAFETY: two numbers; there is one thread.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
    }
}

/// Goes through the walls and says what is in force, for the tests of the walls.
#[doc(hidden)]
pub fn confine_for_test(off: BTreeSet<Layer>) -> Confinement {
    let mut confinement = confine::early(&off);
    confine::enter(&off, &mut confinement);
    confinement
}

fn run(engine: &mut impl Engine<Wire>, mut wire: Wire, confinement: Confinement) -> io::Result<()> {
    let ready = serde_json::to_vec(&Ready { version: protocol::VERSION, confinement })?;
    wire.send(Kind::Ready, &[&ready])?;
    make_ready(engine, &mut wire)?;
    let mut state = Vec::new();
    while let Some(header) = wire.receive(false)? {
        wire.token = header.token;
        match header.kind {
            Kind::State => state = wire.body.clone(),
            Kind::Begin => {
                let body = std::mem::take(&mut wire.body);
                let begin: Begin<'_> = serde_json::from_slice(&body)?;
                wire.printed = 0;
                wire.output = begin.output;
                wire.message = begin.message;
                let task = Task {
                    request: begin.request.get().as_bytes(),
                    state: &std::mem::take(&mut state),
                    cpu_ms: begin.cpu_ms,
                    memory: begin.memory,
                };
                wire = finish(engine, &task, wire, begin.state)?;
                make_ready(engine, &mut wire)?;
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

/// Makes the next interpreter, and uses the time until the next script comes: one that is there already is not kept waiting.
fn make_ready(engine: &mut impl Engine<Wire>, wire: &mut Wire) -> io::Result<()> {
    let made = engine.prepare().and_then(|()| match wire.waits() {
        Ok(false) => engine.rehearse(),
        _ => Ok(()),
    });
    made.map_err(|error| io::Error::other(error.to_string()))
}

/// Runs a script and tells how it ended.
fn finish(engine: &mut impl Engine<Wire>, task: &Task<'_>, wire: Wire, most_state: usize) -> io::Result<Wire> {
    let (mut wire, ran) = engine.run(task, wire);
    // Also when the script was ended in the middle of something.
    wire.flush()?;
    let ended = match ran {
        Ok(Ran { report, state }) if state.len() <= most_state => {
            if !state.is_empty() {
                wire.send(Kind::Kept, &[&state])?;
            }
            // The report passes through unread: the host reads it as untrusted anyway.
            return wire.send(Kind::Finished, &[b"{\"report\":", &report, b"}"]).map(|()| wire);
        }
        Ok(_) => Told::State,
        Err(told) => told,
    };
    let ended = serde_json::to_vec(&Finish::<()>::Ended(ended))?;
    wire.send(Kind::Finished, &[&ended])?;
    Ok(wire)
}

/// The socket.
struct Wire {
    token: Token,
    /// What was printed, until it is worth a message.
    text: Vec<u8>,
    body: Vec<u8>,
    out: Vec<u8>,
    input: Vec<u8>,
    printed: usize,
    output: usize,
    message: usize,
    looks: bool,
}

impl Wire {
    fn new(looks: bool) -> Self {
        Self {
            token: Token::default(),
            text: Vec::new(),
            body: Vec::new(),
            out: Vec::new(),
            input: Vec::new(),
            printed: 0,
            output: 0,
            message: 0,
            looks,
        }
    }

    /// Sends what was printed and still lies here.
    fn flush(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        self.send(Kind::Printed, &[&text])
    }

    fn send(&mut self, kind: Kind, body: &[&[u8]]) -> io::Result<()> {
        self.out.clear();
        protocol::encode(&mut self.out, kind, self.token, body);
        Socket.write_all(&self.out)
    }

    /// Tells whether the host said something that was not read yet.
    fn waits(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        match Socket::read_at_once(&mut chunk) {
            Ok(length) => self.input.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(!self.input.is_empty())
    }

    /// Reads the next frame into `body`; `None` if the host is gone.
    fn receive(&mut self, look: bool) -> io::Result<Option<Header>> {
        let begun = (look && self.looks).then(Instant::now);
        let mut chunk = [0; 16 << 10];
        loop {
            if let Some((header, rest)) = self.input.split_first_chunk::<HEADER>() {
                let header = Header::read(header, MOST).map_err(|_| io::ErrorKind::InvalidData)?;
                if rest.len() >= header.length {
                    self.body.clear();
                    self.body.extend_from_slice(&rest[..header.length]);
                    self.input.drain(..HEADER + header.length);
                    return Ok(Some(header));
                }
            }
            let read = match begun {
                Some(begun) if begun.elapsed() < LOOK => match Socket::read_at_once(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    read => read?,
                },
                _ => Socket.read(&mut chunk)?,
            };
            match read {
                0 => return Ok(None),
                length => self.input.extend_from_slice(&chunk[..length]),
            }
        }
    }
}

impl Port for Wire {
    fn exchange(&mut self, calls: &[u8], wait_ms: u64) -> Result<Vec<u8>, Told> {
        if calls.len() + 8 > self.message {
            return Err(Told::Message);
        }
        let answered = self
            .flush()
            .and_then(|()| self.send(Kind::Exchange, &[&wait_ms.to_le_bytes(), calls]))
            .and_then(|()| self.receive(true));
        match answered {
            Ok(Some(header)) if header.token == self.token && header.kind == Kind::Answers => Ok(std::mem::take(&mut self.body)),
            Ok(Some(header)) if header.token == self.token && header.kind == Kind::Stop => Err(Told::Stopped),
            // The host is gone, or talks of something else: there is nobody to go on for.
            _ => std::process::exit(1),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Told> {
        self.printed += text.len();
        if self.printed > self.output {
            return Err(Told::Output);
        }
        self.text.extend_from_slice(text);
        if self.text.len() < FLUSH_AT { Ok(()) } else { self.flush().map_err(|_| Told::Stopped) }
    }
}

/// Descriptor 0, without the buffers that the standard library would put before it.
struct Socket;

impl Socket {
    fn descriptor() -> BorrowedFd<'static> {
        rustix::stdio::stdin()
    }

    /// Reads what is there; does not wait.
    fn read_at_once(into: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::net::recv(Self::descriptor(), into, RecvFlags::DONTWAIT)?.0)
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(Self::descriptor(), &mut *into) {
                Err(rustix::io::Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(Self::descriptor(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
