//! A host that runs: calling what a plugin has, and looking at what it did.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Approver, FakeClock, FakeHttp, FakeModel, FakeProcess, FakeProgress, FakeRun, FakeSchedules, FakeSessions, FakeTasks,
    HostBuilder, Outbox, Recorder,
};
use crate::{
    call::BoxFuture,
    caller::Caller,
    capability::{By, ClockPort, Files, HttpRequest, MemoryFiles, ModelRequest, Ports, ProcessRequest, ProgressReport, TaskRun},
    error::{Error, Result},
    event::{Decision, Fact},
    kernel::{Decided, Kernel, Ran, Section},
    output::Reply,
    plugin::{Plugin, PluginDecl},
    schedule::ScheduleRecord,
    task::TaskRecord,
};

/// How often other tasks get a turn before they count as left behind.
const TURNS_TO_END: usize = 64;

/// A host for the tests of a plugin.
pub struct Host {
    // Dropped last: the kernel's tasks live in it.
    pub(super) kernel: Kernel,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) plugin: &'static str,
    pub(super) caller: Caller,
    pub(super) outbox: Arc<Outbox>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) http: Arc<FakeHttp>,
    pub(super) files: Arc<MemoryFiles>,
    pub(super) model: Arc<FakeModel>,
    pub(super) process: Arc<FakeProcess>,
    pub(super) progress: Arc<FakeProgress>,
    pub(super) sessions: Arc<FakeSessions>,
    pub(super) tasks: Arc<FakeTasks>,
    pub(super) schedules: Arc<FakeSchedules>,
    pub(super) approver: Arc<Approver>,
    pub(super) watched: Vec<Watched>,
}

/// A port whose handles are counted.
pub(super) struct Watched {
    pub(super) name: &'static str,
    // How many there are without those of plugins.
    pub(super) usual: usize,
    pub(super) count: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Watched {
    /// Counts the handles of a port from now on.
    pub(super) fn new<P: ?Sized + Send + Sync + 'static>(name: &'static str, ports: &Ports) -> Option<Self> {
        let port = Arc::downgrade(ports.get::<P>().ok()?);
        Some(Self { name, usual: port.strong_count(), count: Box::new(move || port.strong_count()) })
    }
}

impl Host {
    /// Starts a plugin with its default configuration.
    ///
    /// # Panics
    ///
    /// If it cannot start, with the reason.
    #[track_caller]
    pub fn of<P: Plugin>() -> Self {
        Self::builder::<P>().start()
    }

    /// Begins to describe a host.
    pub fn builder<P: Plugin>() -> HostBuilder {
        Self::builder_of(P::DECL)
    }

    /// Begins to describe a host of a plugin that is named at run time: for tests that go over all plugins of a bundle.
    pub fn builder_of(plugin: &'static PluginDecl) -> HostBuilder {
        HostBuilder::new(plugin)
    }

    /// Calls as somebody else from now on. At first, the caller is an operator, `tester`, in the session `test`.
    pub fn act_as(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// Calls a tool: of this plugin by its short name, of another by its full one.
    ///
    /// # Errors
    ///
    /// What the caller would be told.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<Reply> {
        self.call_json(tool, &arguments.to_string())
    }

    /// Calls a tool with JSON as it comes, be it valid or not.
    ///
    /// # Errors
    ///
    /// What the caller would be told.
    pub fn call_json(&self, tool: &str, arguments: &str) -> Result<Reply> {
        let tool = if tool.contains('.') { tool.to_owned() } else { format!("{}.{tool}", self.plugin) };
        self.run(self.kernel.call(&tool, arguments, &self.caller))
    }

    /// Calls a tool, and reads its answer.
    ///
    /// # Errors
    ///
    /// What the caller would be told, or that the answer is not a `T`.
    pub fn call_as<T: DeserializeOwned>(&self, tool: &str, arguments: Value) -> Result<T> {
        Ok(serde_json::from_str(&self.call(tool, arguments)?.json)?)
    }

    /// Runs a command as a person would type it, such as `/roll 2d6`, with words separated by spaces.
    ///
    /// # Errors
    ///
    /// What the person would be told.
    pub fn command(&self, line: &str) -> Result<Reply> {
        let mut words = line.trim_start_matches('/').split_whitespace().map(str::to_owned);
        let name = words.next().unwrap_or_default();
        let words: Vec<_> = words.collect();
        self.run(self.kernel.command(&name, &words, &self.caller))
    }

    /// Emits a fact, and waits until everybody has handled it.
    pub fn emit<E: Fact>(&self, event: E) {
        self.run(async { self.kernel.emit(event) });
    }

    /// Asks for a decision.
    pub fn decide<E: Decision>(&self, event: E) -> Decided<E> {
        self.run(self.kernel.decide(event, &self.caller))
    }

    /// Makes the prompt sections.
    pub fn prompt(&self) -> Vec<Section> {
        self.run(self.kernel.prompt(&self.caller))
    }

    /// Returns the facts of a type that were emitted, in order.
    pub fn emitted<E: Fact>(&self) -> Vec<E> {
        self.recorder.facts()
    }

    /// Returns the texts of the messages that were sent, in order.
    pub fn sent(&self) -> Vec<String> {
        self.outbox.texts()
    }

    /// Says what the next question of a plugin's is answered with. A question for which there is no answer waits in vain.
    pub fn answer_with(&self, text: impl Into<String>) {
        self.outbox.answer(text);
    }

    /// Returns the messages that were sent and what the agent was told.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Writes down that something was said in a conversation, for a plugin that reads it. The host's own is `test`.
    pub fn said(&self, session: &str, by: By, text: &str) {
        self.sessions.said(session, by, text, self.clock.now());
    }

    /// Returns the requests to other machines, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.http.requests()
    }

    /// Returns what the language model was asked, in order.
    pub fn asked(&self) -> Vec<ModelRequest> {
        self.model.asked()
    }

    /// Returns the files of a plugin and of the session `test`, to put some there or to look at them; they are in memory.
    pub fn files<P: Plugin>(&self) -> Files {
        Files::new(P::DECL, Some("test".into()), Arc::clone(&self.files) as _)
    }

    /// Returns the programs that were run, in order.
    pub fn runs(&self) -> Vec<ProcessRequest> {
        self.process.runs()
    }

    /// Returns how far calls have told they came, in order: every report, however fast they came.
    pub fn progress(&self) -> Vec<ProgressReport> {
        self.progress.reports()
    }

    /// Returns the tasks that were started, in order. None of them runs by itself.
    pub fn started(&self) -> Vec<TaskRecord> {
        self.tasks.started()
    }

    /// Returns the schedules that are set up, in the order of their names. None of them runs by itself.
    pub fn schedules(&self) -> Vec<ScheduleRecord> {
        self.schedules.all()
    }

    /// Returns the fake that keeps tasks.
    pub fn tasks(&self) -> &FakeTasks {
        &self.tasks
    }

    /// Runs a task of this plugin once, as its run directs.
    ///
    /// # Errors
    ///
    /// What it failed with, or that there is no such task.
    pub fn run_task(&self, task: &str, arguments: Value, run: &Arc<FakeRun>) -> Result<Reply> {
        let name = format!("{}.{task}", self.plugin);
        let entry = self.kernel.registry().task(&name);
        let entry = entry.ok_or_else(|| Error::new(format!("there is no task `{name}`")).with_code("unknown_task"))?;
        let run = Arc::clone(run) as Arc<dyn TaskRun>;
        match self.run(self.kernel.run_task(entry, &arguments.to_string(), &self.caller, &run)) {
            Ran::Returned(reply) => Ok(reply),
            Ran::Failed(error) => Err(error),
            Ran::Stopped => Err(Error::new("the plugin does not run").with_code("unavailable")),
        }
    }

    /// Says what the person in front answers from now on when a call needs approval. At first it is no.
    pub fn approve(&self, yes: bool) {
        self.approver.answer(yes);
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.run(tokio::time::advance(by));
    }

    /// Stops the plugins, and tells what they left behind: tasks that still run, and handles that somebody still holds. A plugin that is
    /// disabled, or whose agent ends, leaves nothing.
    ///
    /// ```
    /// # use nekro_core::{prelude::*, testing::Host};
    /// # use serde_json::json;
    /// # /// Says hello.
    /// # #[plugin(id = "hello")]
    /// # pub struct Hello;
    /// # /// Greets.
    /// # #[tool]
    /// # fn greet() -> &'static str { "hello" }
    /// # fn main() {
    /// let host = Host::of::<Hello>();
    /// host.call("greet", json!({})).unwrap();
    /// assert!(host.leaks().is_empty());
    /// # }
    /// ```
    pub fn leaks(&self) -> Vec<String> {
        self.runtime.block_on(self.kernel.stop());
        self.left_behind()
    }

    /// Returns what is held and what runs now, as [`Host::leaks`] does, and stops no plugin: for a test that has disabled some.
    pub fn left_behind(&self) -> Vec<String> {
        self.runtime.block_on(async {
            // What was told to end gets a turn to do so.
            for _ in 0..TURNS_TO_END {
                tokio::task::yield_now().await;
            }
        });
        let count = |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
        let tasks = self.runtime.metrics().num_alive_tasks();
        let tasks = (tasks > 0).then(|| format!("{} still run", count(tasks, "task")));
        let handles = self.watched.iter().filter_map(|port| {
            let held = (port.count)().saturating_sub(port.usual);
            (held > 0).then(|| format!("{} of `&{}` still held", count(held, "handle"), port.name))
        });
        tasks.into_iter().chain(handles).collect()
    }

    /// Returns the kernel, for what this host has no method for.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs a future, and waits until no fact is left to handle.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let until_idle: BoxFuture<'_, ()> = Box::pin(self.kernel.idle());
        self.runtime.block_on(async {
            let value = future.await;
            until_idle.await;
            value
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.runtime.block_on(self.kernel.stop());
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
