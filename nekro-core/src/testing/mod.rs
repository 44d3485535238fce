//! A host for the tests of a plugin: real kernel, fake ports, no sleeping.
//!
//! ```
//! use nekro_core::{prelude::*, testing::Host};
//! use serde_json::json;
//!
//! /// Says hello.
//! #[plugin]
//! pub struct Hello;
//!
//! /// Greets somebody.
//! #[tool]
//! fn greet(
//!     /// Whom to greet.
//!     name: &str,
//! ) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! # fn main() {
//! let host = Host::of::<Hello>();
//! assert_eq!(host.call("greet", json!({ "name": "Ada" })).unwrap().to_text(), "Hello, Ada!");
//! # }
//! ```
//!
//! The host runs its own runtime with paused time: a deadline of an hour passes at once when nothing else is left to do, and
//! [`Host::advance`] moves the clock. So its methods are plain functions, and a test needs no `async`.

mod http;
mod model;
mod ports;
mod process;
mod progress;
mod schedules;
mod tasks;

use std::{collections::BTreeSet, fmt, future::Future, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::{
    http::{FakeAnswer, FakeHttp},
    model::FakeModel,
    ports::{Approver, FakeClock, FakeEnv, FakeSecrets, FakeSessions, Outbox, Recorder, SeededRandom},
    process::{FakeOutput, FakeProcess},
    progress::FakeProgress,
    schedules::FakeSchedules,
    tasks::{FakeRun, FakeTasks},
};
use crate::{
    call::BoxFuture,
    caller::Caller,
    capability::{
        By, ClockPort, EnvPort, Files, FilesPort, HttpPort, HttpRequest, MemoryFiles, MemoryStore, MemoryVectors, MessagesPort,
        ModelPort, ModelRequest, Ports, ProcessPort, ProcessRequest, ProgressPort, ProgressReport, RandomPort, SchedulesPort,
        SecretsPort, SessionsPort, StoreLimits, StorePort, TaskRun, TasksPort, VectorsPort,
    },
    error::{Error, Result},
    event::{Decision, Fact},
    kernel::{ApprovalPort, Builder, Configuration, Decided, Declarations, Kernel, Limits, ObserverPort, Ran, Registry, Section},
    output::Reply,
    plugin::{Plugin, PluginDecl},
    policy::Policy,
    schedule::ScheduleRecord,
    task::TaskRecord,
};

/// How often other tasks get a turn before they count as left behind.
const TURNS_TO_END: usize = 64;

/// A host for the tests of a plugin.
pub struct Host {
    // Dropped last: the kernel's tasks live in it.
    kernel: Kernel,
    runtime: tokio::runtime::Runtime,
    plugin: &'static str,
    caller: Caller,
    outbox: Arc<Outbox>,
    recorder: Arc<Recorder>,
    clock: Arc<FakeClock>,
    http: Arc<FakeHttp>,
    files: Arc<MemoryFiles>,
    model: Arc<FakeModel>,
    process: Arc<FakeProcess>,
    progress: Arc<FakeProgress>,
    sessions: Arc<FakeSessions>,
    tasks: Arc<FakeTasks>,
    schedules: Arc<FakeSchedules>,
    approver: Arc<Approver>,
    watched: Vec<Watched>,
}

/// A port whose handles are counted.
struct Watched {
    name: &'static str,
    // How many there are without those of plugins.
    usual: usize,
    count: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Watched {
    fn new<P: ?Sized + Send + Sync + 'static>(name: &'static str, ports: &Ports) -> Option<Self> {
        let port = Arc::downgrade(ports.get::<P>().ok()?);
        Some(Self { name, usual: port.strong_count(), count: Box::new(move || port.strong_count()) })
    }
}

/// What a [`Host`] is started with.
#[must_use]
pub struct HostBuilder {
    plugin: &'static str,
    others: Vec<&'static str>,
    config: Value,
    channels: Vec<(String, Value)>,
    off: Vec<String>,
    policy: Option<Policy>,
    limits: Limits,
    store: StoreLimits,
    seed: u64,
    env: FakeEnv,
    secrets: FakeSecrets,
    http: Arc<FakeHttp>,
    model: Arc<FakeModel>,
    process: Arc<FakeProcess>,
    ports: Ports,
}

impl HostBuilder {
    /// Sets the configuration of the plugin.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Sets the whole configuration of the plugin in one channel. [`Host`] calls in the channel `test`, as its session is called.
    pub fn config_in(mut self, channel: &str, config: Value) -> Self {
        self.channels.push((channel.to_owned(), config));
        self
    }

    /// Leaves the plugin out in one channel.
    pub fn off_in(mut self, channel: &str) -> Self {
        self.off.push(channel.to_owned());
        self
    }

    /// Says who may call what. `Policy::parse` reads it from a text; it is there with the feature `build`, under `[dev-dependencies]`.
    ///
    /// ```
    /// use nekro_core::{policy::Policy, prelude::*, testing::Host};
    /// use serde_json::json;
    ///
    /// /// Keeps time.
    /// #[plugin]
    /// pub struct Watch;
    ///
    /// /// Tells the time.
    /// #[tool]
    /// fn now(clock: &Clock) -> String {
    ///     clock.now().to_string()
    /// }
    ///
    /// # fn main() {
    /// let policy = Policy::parse("[[rules]]\ntools = '*'\nrate = '1/1m'").unwrap();
    /// let host = Host::builder::<Watch>().policy(policy).start();
    /// assert!(host.call("now", json!({})).is_ok());
    /// assert_eq!(host.call("now", json!({})).unwrap_err().code(), "rate_limited");
    /// # }
    /// ```
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Runs another plugin beside it.
    pub fn with<P: Plugin>(self) -> Self {
        self.with_each([P::DECL])
    }

    /// Runs other plugins beside it, such as the rest of a bundle.
    pub fn with_each(mut self, plugins: impl IntoIterator<Item = &'static PluginDecl>) -> Self {
        self.others.extend(plugins.into_iter().map(|plugin| plugin.id));
        self
    }

    /// Sets the limits.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Says how much the plugins may keep.
    pub fn store_limits(self, store: StoreLimits) -> Self {
        Self { store, ..self }
    }

    /// Chooses the random numbers.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets an environment variable. Those of the machine are not there.
    pub fn variable(self, name: &str, value: &str) -> Self {
        self.env.set(name, value);
        self
    }

    /// Gives a secret to the plugins that declare it. Those of the machine are not there.
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.secrets.set(name, value);
        self
    }

    /// Writes down the answer to a request, such as `GET https://api.example.org/v1`; see [`FakeHttp::answer`]. The network is not there.
    pub fn answer(self, request: &str, answer: FakeAnswer) -> Self {
        self.http.answer(request, answer);
        self
    }

    /// Writes down what a program does, such as `git log`; see [`FakeProcess::output`]. The programs of the machine are not there.
    pub fn output(self, command: &str, output: FakeOutput) -> Self {
        self.process.output(command, output);
        self
    }

    /// Writes down what the language model says next. There is none but this.
    pub fn model_says(self, text: &str) -> Self {
        self.model.says(text);
        self
    }

    /// Writes down that the language model does not answer the next question.
    pub fn model_fails(self, error: &Error) -> Self {
        self.model.fails(error);
        self
    }

    /// Adds a port, or replaces a fake.
    pub fn port<T: ?Sized + Send + Sync + 'static>(mut self, port: Arc<T>) -> Self {
        self.ports = self.ports.with(port);
        self
    }

    /// Starts the plugins: this one, those added, and those they require.
    ///
    /// # Panics
    ///
    /// If they do not fit together or one cannot start, with the reason.
    #[track_caller]
    pub fn start(self) -> Host {
        match self.try_start() {
            Ok(host) => host,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Starts the plugins.
    ///
    /// # Errors
    ///
    /// If they do not fit together or one cannot start, with the reason.
    pub fn try_start(self) -> Result<Host, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        let (outbox, recorder, approver) =
            (Arc::new(Outbox::default()), Arc::new(Recorder::default()), Arc::new(Approver::default()));
        let clock = Arc::new(FakeClock::default());
        let files = Arc::new(MemoryFiles::default());
        let sessions = Arc::new(FakeSessions::default());
        let progress = Arc::new(FakeProgress::default());
        let (tasks, schedules) = (Arc::new(FakeTasks::default()), Arc::new(FakeSchedules::default()));
        let ports = Ports::new()
            .with::<dyn StorePort>(Arc::new(MemoryStore::new(Arc::clone(&clock) as _, self.store)))
            .with::<dyn MessagesPort>(Arc::clone(&outbox) as _)
            .with::<dyn ClockPort>(Arc::clone(&clock) as _)
            .with::<dyn RandomPort>(Arc::new(SeededRandom::new(self.seed)))
            .with::<dyn EnvPort>(Arc::new(self.env))
            .with::<dyn SecretsPort>(Arc::new(self.secrets))
            .with::<dyn HttpPort>(Arc::clone(&self.http) as _)
            .with::<dyn FilesPort>(Arc::clone(&files) as _)
            .with::<dyn ModelPort>(Arc::clone(&self.model) as _)
            .with::<dyn ProcessPort>(Arc::clone(&self.process) as _)
            .with::<dyn ProgressPort>(Arc::clone(&progress) as _)
            .with::<dyn SessionsPort>(Arc::clone(&sessions) as _)
            .with::<dyn TasksPort>(Arc::clone(&tasks) as _)
            .with::<dyn VectorsPort>(Arc::new(MemoryVectors::default()))
            .with::<dyn SchedulesPort>(Arc::clone(&schedules) as _)
            .with::<dyn ObserverPort>(Arc::clone(&recorder) as _)
            .with::<dyn ApprovalPort>(Arc::clone(&approver) as _)
            .and(self.ports);
        let watched = [
            Watched::new::<dyn ClockPort>("Clock", &ports),
            Watched::new::<dyn FilesPort>("Files", &ports),
            Watched::new::<dyn HttpPort>("Http", &ports),
            Watched::new::<dyn MessagesPort>("Messages", &ports),
            Watched::new::<dyn ModelPort>("Model", &ports),
            Watched::new::<dyn ProcessPort>("Process", &ports),
            Watched::new::<dyn RandomPort>("Random", &ports),
            Watched::new::<dyn SchedulesPort>("Schedules", &ports),
            Watched::new::<dyn SecretsPort>("Secrets", &ports),
            Watched::new::<dyn SessionsPort>("Sessions", &ports),
            Watched::new::<dyn StorePort>("Store", &ports),
            Watched::new::<dyn TasksPort>("Tasks", &ports),
            Watched::new::<dyn VectorsPort>("Vectors", &ports),
        ];
        let held = Arc::clone(&progress);
        let of_progress = Watched { name: "Progress", usual: held.held(), count: Box::new(move || held.held()) };
        let watched = watched.into_iter().flatten().chain([of_progress]).collect();
        let roots = std::iter::once(self.plugin).chain(self.others);
        let registry = Registry::new(closure(roots)).map_err(|error| error.to_string())?;
        let config = Configuration::new(self.config);
        let config = self.channels.into_iter().fold(config, |config, (channel, other)| config.in_channel(channel, other));
        let builder = Kernel::builder(registry).ports(ports).limits(self.limits).configure(self.plugin, config);
        let off = |builder: Builder, channel| builder.disable_in(channel, [self.plugin]);
        let builder = self.off.into_iter().fold(builder, off);
        let builder = self.policy.into_iter().fold(builder, Builder::policy);
        let kernel = runtime.block_on(builder.start_all()).map_err(|error| error.to_string())?;
        let caller = Caller::operator().in_session("test").as_user("tester");
        Ok(Host {
            kernel,
            runtime,
            plugin: self.plugin,
            caller,
            outbox,
            recorder,
            clock,
            http: self.http,
            files,
            model: self.model,
            process: self.process,
            progress,
            sessions,
            tasks,
            schedules,
            approver,
            watched,
        })
    }
}

/// Selects the plugins that were asked for and those they require.
fn closure(roots: impl Iterator<Item = &'static str>) -> Declarations {
    let mut all = Declarations::linked();
    let mut wanted = BTreeSet::new();
    let mut open: Vec<&str> = roots.collect();
    while let Some(id) = open.pop() {
        if wanted.insert(id) {
            let found = all.plugins.iter().filter(|plugin| plugin.id == id);
            open.extend(found.flat_map(|plugin| plugin.requires).filter_map(|text| text.split_whitespace().next()));
        }
    }
    let runs = |id: &str| wanted.contains(id);
    all.plugins.retain(|decl| runs(decl.id));
    all.tools.retain(|decl| runs(decl.plugin.id));
    all.handlers.retain(|decl| runs(decl.plugin.id));
    all.commands.retain(|decl| runs(decl.plugin.id));
    all.routes.retain(|decl| runs(decl.plugin.id));
    all.webhooks.retain(|decl| runs(decl.plugin.id));
    all.prompts.retain(|decl| runs(decl.plugin.id));
    all.tasks.retain(|decl| runs(decl.plugin.id));
    all.schedules.retain(|decl| runs(decl.task.plugin.id));
    all.hooks.retain(|decl| runs(decl.plugin.id));
    all
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
        HostBuilder {
            plugin: plugin.id,
            others: Vec::new(),
            config: Value::Object(Map::new()),
            channels: Vec::new(),
            off: Vec::new(),
            policy: None,
            limits: Limits::default(),
            store: StoreLimits::default(),
            seed: 0,
            env: FakeEnv::default(),
            secrets: FakeSecrets::default(),
            http: Arc::default(),
            model: Arc::default(),
            process: Arc::default(),
            ports: Ports::new(),
        }
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

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
