//! The two fixture plugins in a kernel with fake ports.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nekro_core::{
    Caller, ClockPort, Error, MemoryStore, MessagesPort, Ports, RandomPort, Reply, StorePort,
    event::Fact,
    kernel::{ApprovalPort, Builder, Configuration, Kernel, Limits, ObserverPort, Registry, Stage, StartError},
    testing::{Approver, FakeClock, Outbox, Recorder, SeededRandom},
};
use nekro_fixture_alpha::events::Noted;
// Named, so that it is linked.
use nekro_fixture_beta as _;
use serde_json::Value;
use tokio::time::Instant;

pub(crate) struct Setup {
    builder: Builder,
    ports: Ports,
    recorder: Arc<Recorder>,
    approver: Arc<Approver>,
    limits: Limits,
}

/// Begins to describe a kernel with alpha and beta.
pub(crate) fn world() -> Setup {
    let registry = Registry::linked().expect("the fixtures fit together");
    let (recorder, approver) = (Arc::new(Recorder::default()), Arc::new(Approver::default()));
    let ports = Ports::new()
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn MessagesPort>(Arc::new(Outbox::default()))
        .with::<dyn ClockPort>(Arc::new(FakeClock::default()))
        .with::<dyn RandomPort>(Arc::new(SeededRandom::new(0)))
        .with::<dyn ObserverPort>(Arc::clone(&recorder) as _)
        .with::<dyn ApprovalPort>(Arc::clone(&approver) as _);
    Setup { builder: Kernel::builder(registry), ports, recorder, approver, limits: Limits::default() }
}

impl Setup {
    pub(crate) fn alpha(self, config: Value) -> Self {
        Self { builder: self.builder.configure("alpha", config), ..self }
    }

    pub(crate) fn beta(self, config: Value) -> Self {
        Self { builder: self.builder.configure("beta", config), ..self }
    }

    pub(crate) fn configured(self, plugin: &str, config: Configuration) -> Self {
        Self { builder: self.builder.configure(plugin, config), ..self }
    }

    pub(crate) fn off(self, channel: &str, plugin: &str) -> Self {
        Self { builder: self.builder.disable_in(channel, plugin), ..self }
    }

    pub(crate) fn without(self, plugin: &str) -> Self {
        Self { builder: self.builder.disable(plugin), ..self }
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub(crate) fn ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    pub(crate) fn with_port<P: ?Sized + Send + Sync + 'static>(self, port: Arc<P>) -> Self {
        Self { ports: self.ports.with(port), ..self }
    }

    pub(crate) fn builder(self) -> (Builder, Arc<Recorder>) {
        (self.builder.ports(self.ports).limits(self.limits), self.recorder)
    }

    pub(crate) async fn start(self) -> World {
        self.try_start().await.expect("the names are right")
    }

    pub(crate) async fn try_start(self) -> Result<World, StartError> {
        let approver = Arc::clone(&self.approver);
        let (builder, recorder) = self.builder();
        let kernel = builder.start().await?;
        let caller = Caller::operator().in_session("test").as_user("tester");
        let world = World { kernel, recorder, approver, caller, read: AtomicUsize::new(0) };
        world.kernel.idle().await;
        Ok(world)
    }
}

pub(crate) struct World {
    pub(crate) kernel: Kernel,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) approver: Arc<Approver>,
    pub(crate) caller: Caller,
    read: AtomicUsize,
}

impl World {
    /// Returns everything that the fixtures have noted.
    pub(crate) fn all_notes(&self) -> Vec<String> {
        self.recorder.facts::<Noted>().into_iter().map(|noted| noted.what).collect()
    }

    /// Returns what the fixtures have noted since this was asked last.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.all_notes();
        let read = self.read.swap(notes.len(), Ordering::Relaxed);
        notes[read..].to_vec()
    }

    /// Lets the others go on until something is noted, without moving the time.
    pub(crate) async fn until(&self, note: &str) {
        for _ in 0..10_000 {
            if self.all_notes().iter().any(|noted| noted == note) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("`{note}` was never noted, but {:?}", self.all_notes());
    }

    /// Emits a fact, and waits until everybody has handled it.
    pub(crate) async fn emit<E: Fact>(&self, event: E) {
        self.kernel.emit(event);
        self.kernel.idle().await;
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Reply, Error> {
        self.kernel.call(tool, &arguments.to_string(), &self.caller).await
    }

    /// Begins a call, and returns when the tool has begun and noted so.
    pub(crate) async fn begin(
        &self,
        tool: &'static str,
        arguments: Value,
        note: &str,
    ) -> tokio::task::JoinHandle<Result<Reply, Error>> {
        let (kernel, caller) = (self.kernel.clone(), self.caller.clone());
        let call = tokio::spawn(async move { kernel.call(tool, &arguments.to_string(), &caller).await });
        self.until(note).await;
        call
    }

    pub(crate) fn stage(&self, plugin: &str) -> String {
        let status = self.kernel.status().into_iter().find(|status| status.id == plugin).expect("the plugin is linked");
        match status.stage {
            Stage::Running => "running".to_owned(),
            Stage::Disabled => "disabled".to_owned(),
            Stage::Failed { reason } => reason,
            other => format!("{other:?}"),
        }
    }
}

/// Tells what a result was, in one line.
pub(crate) fn told(result: Result<Reply, Error>) -> String {
    match result {
        Ok(reply) => reply.json,
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// Measures the time that passes, which is the kernel's and no real one.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begin = Instant::now();
    let value = work.await;
    (value, begin.elapsed())
}
