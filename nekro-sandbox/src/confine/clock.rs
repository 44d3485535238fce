//! The clock that interrupts a script: processor time of the worker, told to the engine by a signal.
//!
//! A signal and not a thread: a second thread would have to be confined on its own, and would wake an idle worker.

use std::sync::OnceLock;

use wasmtime::Engine;

/// Processor time between two ticks.
const TICK_MS: u64 = 10;

static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Returns after how many ticks a time is over.
pub(crate) fn ticks(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(TICK_MS) + 1
}

extern "C" fn tick(_: libc::c_int) {
    // One load and one addition, both atomic: a signal may interrupt anything, and this disturbs nothing.
    if let Some(engine) = ENGINE.get() {
        engine.increment_epoch();
    }
}

/// Starts the clock of this process.
#[expect(unsafe_code, reason = "a signal handler and a timer have no safe form")]
pub(crate) fn start(engine: &Engine) -> wasmtime::Result<()> {
    ENGINE.set(engine.clone()).map_err(|_| wasmtime::Error::msg("the clock runs already"))?;
    let tick_us = libc::suseconds_t::try_from(TICK_MS * 1_000).expect("a tick is shorter than a second");
    let interval = libc::timeval { tv_sec: 0, tv_usec: tick_us };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: the handler only does what a handler may; the structures are whole, and live for the calls.
    let started = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(libc::c_int) = tick;
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut action.sa_mask) == 0
            && libc::sigaction(libc::SIGPROF, &raw const action, std::ptr::null_mut()) == 0
            && libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) == 0
    };
    if started { Ok(()) } else { Err(std::io::Error::last_os_error().into()) }
}
