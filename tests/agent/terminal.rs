//! A terminal with a program in it, and a person who reads and types.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Command},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long something may take to be shown, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Terminal {
    child: Child,
    keys: File,
    shows: Receiver<String>,
    seen: String,
}

impl Terminal {
    /// Starts a program whose input and output are a terminal without colours.
    pub(crate) fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it may be used");
        let path = ptsname(&ours, Vec::new()).expect("its path").into_string().expect("text");
        let theirs = OpenOptions::new().read(true).write(true).open(path).expect("the other end");
        command.stdin(theirs.try_clone().expect("a handle")).stdout(theirs).env("TERM", "xterm").env("NO_COLOR", "1");
        let child = command.spawn().expect("the program starts");
        let keys = File::from(ours);
        let mut screen = keys.try_clone().expect("a handle");
        let (shown, shows) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                // Nobody looks any longer when the test is over.
                _ = shown.send(String::from_utf8_lossy(&bytes[..count]).into_owned());
            }
        });
        Self { child, keys, shows, seen: String::new() }
    }

    /// Waits for words, and returns all that was shown since it last did.
    pub(crate) fn see(&mut self, words: &str) -> String {
        while !self.seen.contains(words) {
            match self.shows.recv_timeout(PATIENCE) {
                Ok(more) => self.seen.push_str(&more),
                Err(_) => panic!("`{words}` is not shown: {}", self.seen),
            }
        }
        std::mem::take(&mut self.seen)
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\r").as_bytes()).expect("it is typed");
    }

    /// Waits for the end of the program, which must be a good one.
    pub(crate) fn ends_well(mut self) {
        assert!(self.child.wait().expect("it ends").success());
    }
}
