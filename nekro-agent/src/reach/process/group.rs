//! A program and everything that it starts: one group of processes, which ends together.

use rustix::process::{Pid, Signal, kill_process_group};

/// Ends a group of processes when it is dropped.
///
/// The system gives its number to nobody else while the program has not been waited for, or anything that it started still runs. Where
/// neither is so there is nothing to end, and numbers are given in turn: the same one does not come again in that moment.
#[derive(Debug)]
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// A group that was started with a program, whose number it has.
    pub(crate) fn of(program: Option<u32>) -> Self {
        Self(program.and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// Limits the memory of the program, and of what it starts from now on.
    #[cfg(target_os = "linux")]
    pub(super) fn limit_memory(&self, bytes: u64) -> std::io::Result<()> {
        use rustix::process::{Resource, Rlimit, prlimit};

        let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
        if self.0.is_some() {
            prlimit(self.0, Resource::As, limit(bytes))?;
            // What a crash leaves behind would hold what was in its memory.
            prlimit(self.0, Resource::Core, limit(0))?;
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "there is nothing that could fail here")]
    pub(super) fn limit_memory(&self, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
