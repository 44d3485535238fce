//! Workers that wait for scripts, and scripts that wait for workers.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Confinement, Host, Outcome, Problem, Report, SandboxError, Script, Settings,
    process::{LOOKS, Spawner, Worker},
    run::{self, Mode},
    worker::Orders,
};

/// Runs scripts. Cheap to clone; the last clone takes the workers with it.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    settings: Settings,
    spawner: Spawner,
    idle: Mutex<Vec<Worker>>,
    confinement: Confinement,
    turns: Semaphore,
    waiting: AtomicUsize,
}

impl Sandbox {
    /// Starts the first worker and looks at how it is confined. The program's `main` must begin with
    /// [`worker_main_if_asked`](crate::worker_main_if_asked).
    ///
    /// # Errors
    ///
    /// If no worker can be started, or if it is not confined as the settings require.
    pub async fn start(settings: Settings) -> Result<Self, SandboxError> {
        let spawner = Spawner::start().map_err(SandboxError::Start)?;
        let worker = start(&spawner, &settings).await?;
        Ok(Self(Arc::new(Pool {
            confinement: worker.confinement.clone(),
            idle: Mutex::new(vec![worker]),
            turns: Semaphore::new(settings.workers.max(1)),
            waiting: AtomicUsize::new(0),
            spawner,
            settings,
        })))
    }

    /// Returns how it was set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns what of the confinement is in force.
    pub fn confinement(&self) -> &Confinement {
        &self.0.confinement
    }

    /// Returns the process ids of the workers that wait.
    pub fn idle(&self) -> Vec<u32> {
        self.0.idle().iter().filter_map(Worker::id).collect()
    }

    /// Runs a script. Dropped, it ends the script and its calls.
    ///
    /// # Errors
    ///
    /// If the script was not run: all that can happen to one that was is in its report.
    pub async fn run(&self, script: &Script, host: &dyn Host) -> Result<Report, SandboxError> {
        self.0.clone().run(script, Mode::Run, host).await
    }

    /// Looks at a script without running it, and returns what cannot be right.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn check(&self, script: &Script) -> Result<Vec<Problem>, SandboxError> {
        Ok(match self.0.clone().run(script, Mode::Check, &Nobody).await?.outcome {
            Outcome::Refused(problems) => problems,
            _ => Vec::new(),
        })
    }
}

/// The host of a script that is not run.
struct Nobody;

impl Host for Nobody {
    fn call<'a>(
        &'a self,
        _: crate::Call<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<crate::Answer, crate::CallError>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(crate::CallError::new(
            "unknown_function",
            "nothing is called while a script is checked",
        ))))
    }
}

async fn start(spawner: &Spawner, settings: &Settings) -> Result<Worker, SandboxError> {
    let orders = Orders { off: settings.off.clone(), looks: *LOOKS, play: settings.play.clone() };
    let worker = Worker::start(spawner, &orders).await.map_err(SandboxError::Start)?;
    // What a test has switched off is missed by nobody.
    let lacks: Vec<_> =
        settings.require.lacks(&worker.confinement).into_iter().filter(|layer| !settings.off.contains(layer)).collect();
    if lacks.is_empty() {
        return Ok(worker);
    }
    Err(SandboxError::Confinement { lacks, confinement: worker.confinement.clone() })
}

impl Pool {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        // Nothing panics while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>, script: &Script, mode: Mode, host: &dyn Host) -> Result<Report, SandboxError> {
        let _turn = self.turn().await?;
        let mut worker = match self.take() {
            Some(worker) => worker,
            None => start(&self.spawner, &self.settings).await?,
        };
        worker.scripts += 1;
        let (report, well) = run::run(&mut worker, script, mode, host).await;
        let worn = worker.scripts >= self.settings.worker_scripts || worker.since.elapsed() >= self.settings.worker_age;
        if well && !worn {
            self.idle().push(worker);
        } else {
            drop(worker);
            self.clone().refill();
        }
        Ok(report)
    }

    /// Waits for a turn, if not too many wait already.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, SandboxError> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let waiting = Waiting::enter(&self.waiting, self.settings.queue)?;
        let turn = self.turns.acquire().await.expect("the semaphore is never closed");
        drop(waiting);
        Ok(turn)
    }

    /// Takes a worker that waits and is well.
    fn take(&self) -> Option<Worker> {
        loop {
            let mut worker = self.idle().pop()?;
            if worker.is_well() && worker.since.elapsed() < self.settings.worker_age {
                return Some(worker);
            }
        }
    }

    /// Starts workers in the background until enough wait.
    fn refill(self: Arc<Self>) {
        let warm = self.settings.warm.min(self.settings.workers);
        if self.idle().len() < warm {
            tokio::spawn(async move {
                // If none can be started, the next script says so.
                if let Ok(worker) = start(&self.spawner, &self.settings).await {
                    let mut idle = self.idle();
                    if idle.len() < warm {
                        idle.push(worker);
                    }
                }
            });
        }
    }
}

/// A place in the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize, queue: usize) -> Result<Self, SandboxError> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < queue { Ok(place) } else { Err(SandboxError::Busy { queue }) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
