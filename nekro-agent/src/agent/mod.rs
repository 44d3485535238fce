//! The agent: what happens from a message that comes in to the answer that goes out.
//!
//! `receive` takes a message in, `work` takes it from its session's queue and sees to it that each turn ends once, `turn` is one turn,
//! and the other files are its parts. `docs/turns.md` lists what is emitted and asked, in order.

mod builtin;
mod calls;
mod control;
mod inbound;
#[doc(hidden)]
pub mod measured;
mod models;
mod presence;
mod profile;
mod prompt;
mod questions;
mod receive;
mod repeats;
mod restart;
#[cfg_attr(not(feature = "sandbox"), expect(dead_code, reason = "who runs scripts is not in this program"))]
pub(crate) mod script;
mod session;
mod settings;
mod speak;
mod surface;
mod tell;
#[cfg(test)]
mod tests;
mod tokens;
mod trigger;
mod turn;
mod window;
mod work;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use nekro_core::{ClockPort, Error, Random, RandomPort, Result, Timestamp, kernel::Kernel};
use tokio::sync::{Notify, Semaphore};

#[cfg(feature = "http")]
pub(crate) use self::inbound::{Company, Ended, From};
pub(crate) use self::{
    inbound::{Fate, Inbound},
    models::{Models, Recorded},
    presence::Presences,
    prompt::{Overview, Source},
    settings::AgentSettings,
    speak::Speaker,
    surface::{Progress, Surface, TaskProgress},
};
use self::{questions::Questions, script::Scripts, session::Sessions};
#[cfg(feature = "sandbox")]
pub(crate) use self::{tokens::of_text, trigger::is_like};
use crate::history::HistoryPort;

/// The sessions and turns of an agent. A handle; clones are the same agent.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Inner>);

struct Inner {
    kernel: Kernel,
    history: Arc<dyn HistoryPort>,
    models: Arc<dyn Models>,
    scripts: Option<Arc<dyn Scripts>>,
    surface: Arc<dyn Surface>,
    settings: Arc<AgentSettings>,
    presences: Arc<Presences>,
    clock: Arc<dyn ClockPort>,
    random: Random,
    sessions: Sessions,
    questions: Arc<Questions>,
    // Messages come in here, and not in another process.
    takes_in: bool,
    // One for each turn that may run at the same time.
    permits: Semaphore,
    at_work: AtomicUsize,
    rests: Notify,
}

/// What a machine is made of.
pub(crate) struct Parts {
    /// The plugins. Its ports have a clock, chance, and `presences`.
    pub(crate) kernel: Kernel,
    /// Where conversations are kept.
    pub(crate) history: Arc<dyn HistoryPort>,
    /// What answers.
    pub(crate) models: Arc<dyn Models>,
    /// What runs the scripts of models that act by them, if the program has that.
    pub(crate) scripts: Option<Arc<dyn Scripts>>,
    /// Where people are.
    pub(crate) surface: Arc<dyn Surface>,
    /// What the operator set.
    pub(crate) settings: Arc<AgentSettings>,
    /// Which plugins take part in which session.
    pub(crate) presences: Arc<Presences>,
    /// What plugins say to people, if they can.
    pub(crate) speaker: Option<Arc<Speaker>>,
}

impl Machine {
    /// Makes a machine beside another one that may be at work on the same history.
    ///
    /// # Errors
    ///
    /// If the kernel has no clock or no chance.
    pub(crate) fn beside(parts: Parts) -> Result<Self> {
        Self::make(parts, false)
    }

    fn make(parts: Parts, takes_in: bool) -> Result<Self> {
        let Parts { kernel, history, models, scripts, surface, settings, presences, speaker } = parts;
        let clock = Arc::clone(kernel.ports().get::<dyn ClockPort>()?);
        let random = Random::new(Arc::clone(kernel.ports().get::<dyn RandomPort>()?));
        let machine = Self(Arc::new(Inner {
            permits: Semaphore::new(settings.parallel_turns.clamp(1, Semaphore::MAX_PERMITS)),
            kernel,
            history,
            models,
            scripts,
            surface,
            settings,
            presences,
            clock,
            random,
            sessions: Sessions::default(),
            questions: Arc::default(),
            takes_in,
            at_work: AtomicUsize::new(0),
            rests: Notify::new(),
        }));
        if let Some(speaker) = speaker {
            speaker.serve(&machine.0);
        }
        Ok(machine)
    }

    /// Makes the one machine that is at work on a history, and ends the turns that were cut off when the last one ended.
    ///
    /// # Errors
    ///
    /// If the kernel has no clock or no chance, or the history cannot be read or written.
    pub(crate) async fn start(parts: Parts) -> Result<Self> {
        let machine = Self::make(parts, true)?;
        machine.0.close_cut_off_turns().await?;
        Ok(machine)
    }

    /// Waits until no message is being taken in and no turn is under way.
    pub(crate) async fn idle(&self) {
        loop {
            let rests = self.0.rests.notified();
            tokio::pin!(rests);
            // Before the count is read: what ends in between is not missed.
            rests.as_mut().enable();
            if self.0.at_work.load(Ordering::SeqCst) == 0 {
                return;
            }
            rests.await;
        }
    }
}

impl Inner {
    /// Returns what runs the scripts of a model, if the model acts by scripts.
    fn scripts(&self, model: Option<&str>) -> Result<Option<Arc<dyn Scripts>>> {
        if !self.models.acts_by_scripts(model) {
            return Ok(None);
        }
        let absent = || Error::new("the model acts by scripts, and this program cannot run any").with_code("unavailable");
        self.scripts.clone().ok_or_else(absent).map(Some)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Counts somebody at work, until what is returned is dropped.
    fn at_work(self: &Arc<Self>) -> AtWork {
        self.at_work.fetch_add(1, Ordering::SeqCst);
        AtWork(Arc::clone(self))
    }
}

/// See [`Inner::at_work`].
struct AtWork(Arc<Inner>);

impl Drop for AtWork {
    fn drop(&mut self) {
        if self.0.at_work.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.rests.notify_waiters();
        }
    }
}
