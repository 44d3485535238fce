//! What a host is started with, and starting it.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Approver, FakeAnswer, FakeClock, FakeEnv, FakeHttp, FakeModel, FakeOutput, FakeProcess, FakeProgress, FakeSchedules,
    FakeSecrets, FakeSessions, FakeTasks, Host, Outbox, Recorder, SeededRandom, host::Watched,
};
use crate::{
    caller::Caller,
    capability::{
        ClockPort, EnvPort, FilesPort, HttpPort, MemoryFiles, MemoryStore, MemoryVectors, MessagesPort, ModelPort, Ports,
        ProcessPort, ProgressPort, RandomPort, SchedulesPort, SecretsPort, SessionsPort, StoreLimits, StorePort, TasksPort,
        VectorsPort,
    },
    error::Error,
    kernel::{ApprovalPort, Builder, Configuration, Declarations, Kernel, Limits, ObserverPort, Registry},
    plugin::{Plugin, PluginDecl},
    policy::Policy,
};

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
    /// Begins with this plugin, with its default configuration.
    pub(super) fn new(plugin: &'static PluginDecl) -> Self {
        Self {
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

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
