//! An agent with the tests' plugin, and clients of it.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    BoxFuture, Caller, ClockPort, MemoryStore, MessagesPort, Origin, PluginId, Ports, ProgressPort, RandomPort, Result, Role,
    SchedulesPort, SessionId, SessionsPort, StorePort, TaskId, TaskRecord, TasksPort,
    kernel::{ApprovalPort, Kernel},
    prelude::*,
    testing::{FakeSessions, Outbox, SeededRandom},
};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::{CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion},
    service::{RunningService, ServiceError},
};
use serde_json::{Value, json};
use tokio::io::{duplex, split};

use crate::{
    mcp::{Client, Limits, Questions, Server, Tasks},
    ports::SystemClock,
    progress::Reports,
    schedules::{Book, SchedulesSettings},
    storage::Ledger,
    tasks::{Audience, Desk, Runner, Scope, TasksSettings},
};

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Counted {
    steps: u32,
}

/// Counts once it is told to.
#[task(tool)]
async fn long_count(
    task: &Task,
    /// How far.
    steps: u32,
) -> Result<Counted> {
    task.progress(40, "counting");
    let told: Option<bool> = task.wait("go", Duration::from_secs(3_600)).await?;
    match told {
        Some(true) => Ok(Counted { steps }),
        _ => Err(Error::new("it must not count").with_code("forbidden_to_count")),
    }
}

/// Takes no time.
#[tool]
fn quick_count() -> u32 {
    7
}

/// Nobody is told anything.
struct Nobody;

impl Audience for Nobody {
    fn tell<'a>(&'a self, _: &'a SessionId, _: &'a PluginId, _: String, _: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn progress(&self, _: &SessionId, _: &TaskId, _: &str, _: u8, _: &str) {}
}

/// An agent.
pub(super) struct World {
    pub(super) kernel: Kernel,
    pub(super) desk: Desk,
    runner: Runner,
}

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    WithHandshake,
    Newest,
}

pub(super) const BOTH: [Protocol; 2] = [Protocol::WithHandshake, Protocol::Newest];

impl Protocol {
    pub(super) fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::WithHandshake => ClientLifecycleMode::Initialize,
            Self::Newest => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        }
    }
}

/// Returns who calls in a conversation.
pub(super) fn caller(session: &str) -> Caller {
    Caller::new(Origin::McpClient, Role::User).in_session(session)
}

/// Returns a client that has declared this.
pub(super) fn config(capabilities: ClientCapabilities) -> ClientConfig {
    ClientConfig::new(capabilities, Implementation::new("test", "1"))
}

impl World {
    /// Starts an agent on what was kept.
    pub(super) async fn on(ledger: &Ledger) -> Self {
        let clock: Arc<dyn ClockPort> = Arc::new(SystemClock);
        let desk = Desk::new(ledger.clone(), Arc::clone(&clock), TasksSettings::default());
        let book = Book::new(ledger.clone(), Arc::clone(&clock), &SchedulesSettings::default(), desk.bell()).expect("a zone");
        let ports = Ports::new()
            .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
            .with::<dyn ClockPort>(clock)
            .with::<dyn RandomPort>(Arc::new(SeededRandom::new(7)))
            .with::<dyn MessagesPort>(Arc::new(Questions::new(Arc::new(Outbox::default()))))
            .with::<dyn SessionsPort>(Arc::new(FakeSessions::default()))
            .with::<dyn SchedulesPort>(Arc::new(book.clone()))
            .with::<dyn TasksPort>(Arc::new(desk.clone()))
            .with::<dyn ProgressPort>(Arc::new(Reports))
            .with::<dyn ApprovalPort>(Arc::new(Client));
        let registry = crate::registry_of(|id| id == "probe");
        let kernel = Kernel::builder(registry).ports(ports).configure("probe", json!({})).start_all().await.expect("it starts");
        let scope = Scope::Session("mcp".into());
        let runner = Runner::start(kernel.clone(), desk.clone(), book, Arc::new(Nobody), scope).await.expect("it starts");
        Self { kernel, desk, runner }
    }

    /// Connects a client of a conversation.
    pub(super) async fn client<C: ClientHandler>(
        &self,
        session: &str,
        protocol: Protocol,
        client: C,
    ) -> RunningService<RoleClient, C> {
        self.client_within(Limits::default(), session, protocol, client).await
    }

    /// Connects a client of a conversation, within some limits.
    pub(super) async fn client_within<C: ClientHandler>(
        &self,
        limits: Limits,
        session: &str,
        protocol: Protocol,
        client: C,
    ) -> RunningService<RoleClient, C> {
        let (ours, theirs) = duplex(64 * 1024);
        let tasks = Tasks::new(self.desk.clone(), limits.task_poll_interval);
        let server = Server::with(self.kernel.clone(), caller(session), Arc::default(), None, Some(tasks));
        let (input, output) = split(theirs);
        tokio::spawn(async move { server.serve(input, output, limits).await });
        client.serve_with_lifecycle(ours, protocol.lifecycle()).await.expect("they understand each other")
    }

    /// Tells a task to go on, or not to.
    pub(super) async fn go(&self, task: &str, on: bool) {
        assert!(self.desk.notify_of(None, &task.into(), "go", on.to_string()).await.expect("it is there"));
    }

    /// Waits until a task is at something, or has ended.
    pub(super) async fn until(&self, task: &str, is: impl Fn(&TaskRecord) -> bool) {
        let (seen, mut wanted) = tokio::sync::watch::channel(false);
        let task = TaskId::from(task);
        let following = self.desk.follow(&task, |record| _ = seen.send_replace(is(record)));
        tokio::select! {
            ended = following => drop(ended.expect("it is there")),
            _ = wanted.wait_for(|is_it| *is_it) => {}
        }
    }

    /// Ends as a process does that is asked to.
    pub(super) async fn stop(self) {
        self.runner.stop().await;
        self.kernel.stop().await;
    }
}

/// Calls a tool once.
pub(super) async fn call<C: ClientHandler>(
    client: &RunningService<RoleClient, C>,
    tool: &'static str,
    arguments: Value,
) -> std::result::Result<CallToolResponse, ServiceError> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    client.call_tool_once(CallToolRequestParams::new(tool).with_arguments(arguments)).await
}

/// Starts to count, and returns the task.
pub(super) async fn start<C: ClientHandler>(client: &RunningService<RoleClient, C>) -> rmcp::model::Task {
    match call(client, "probe.long_count", json!({ "steps": 3 })).await.expect("it is called") {
        CallToolResponse::Task(created) => created.task,
        other => panic!("{other:?} is no task"),
    }
}
