//! An agent with a scripted model, a history in memory, and people who remember what they were told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nekro_core::{
    BoxFuture, Caller, ClockPort, Error, FilesPort, MemoryFiles, MemoryStore, MessagesPort, Ports, ProgressPort, RandomPort,
    Result, SchedulesPort, SessionId, SessionsPort, StorePort, TasksPort, TurnId,
    event::Fact,
    kernel::{ApprovalPort, Kernel, Limits, ObserverPort, PresencePort},
    testing::{Approver, FakeClock, FakeSchedules, FakeTasks, Outbox, Recorder, SeededRandom},
};
use serde_json::{Value, json};

use super::scripts::Puppet;
use crate::{
    agent::{
        AgentSettings, Fate, Inbound, Machine, Models, Parts, Presences, Progress, Speaker, Surface,
        inbound::{Ended, Received},
    },
    history::{Body, HistoryPort, MemoryHistory, Message},
    model::{Answer, Chunk, Model, ModelError, ModelErrorKind, Request, Sink, Stop, ToolUse, Usage},
    ports::Conversations,
    progress::Reports,
};

/// What the model does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Say(&'static str),
    Call(Vec<(&'static str, Value)>),
    /// Fails.
    Fail(ModelErrorKind),
    /// Begins to say something, and never goes on.
    Hang(&'static str),
    Panic,
    /// Says something after a time.
    After(u64, &'static str),
    /// Begins, begins anew, is replaced by another model, and says something.
    Stumble(&'static str),
}

/// A model that does as it is told.
#[derive(Default)]
pub(super) struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    by_scripts: bool,
    pub(super) asked: Mutex<Vec<Request>>,
}

impl Scripted {
    fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
        of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        Self::lock(&self.steps).extend(steps);
    }

    pub(super) fn asked(&self) -> Vec<Request> {
        Self::lock(&self.asked).clone()
    }

    pub(super) fn last(&self) -> Request {
        self.asked().pop().expect("the model was asked")
    }
}

impl Model for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Self::lock(&self.asked).push(request.clone());
        let step = Self::lock(&self.steps).pop_front().unwrap_or(Step::Say("done"));
        Box::pin(async move {
            let mut answer = Answer {
                model: "scripted".to_owned(),
                usage: Usage { input_tokens: 10, output_tokens: 5, cached_tokens: 3 },
                stop: Stop::End,
                ..Answer::default()
            };
            match step {
                Step::Say(text) => text.clone_into(&mut answer.text),
                Step::After(millis, text) => {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    text.clone_into(&mut answer.text);
                }
                Step::Call(calls) => {
                    let each = |(number, (tool, arguments)): (usize, &(&str, Value))| ToolUse {
                        id: format!("use-{number}"),
                        tool: (*tool).to_owned(),
                        arguments: arguments.to_string(),
                    };
                    answer.calls = calls.iter().enumerate().map(each).collect();
                }
                Step::Fail(kind) => return Err(ModelError::new(kind, "the model has a headache")),
                Step::Hang(text) => {
                    sink.chunk(Chunk::Text(text));
                    std::future::pending::<()>().await;
                }
                Step::Panic => panic!("as the test wants"),
                Step::Stumble(text) => {
                    sink.chunk(Chunk::Text("never"));
                    sink.chunk(Chunk::Restart { model: "scripted", fallback: false, reason: "it broke off", wait_ms: 5 });
                    sink.chunk(Chunk::Restart { model: "other", fallback: true, reason: "it is gone", wait_ms: 0 });
                    "other".clone_into(&mut answer.model);
                    text.clone_into(&mut answer.text);
                }
            }
            if !answer.text.is_empty() {
                sink.chunk(Chunk::Text(&answer.text));
            }
            Ok(answer)
        })
    }
}

impl Models for Arc<Scripted> {
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>> {
        match name {
            None | Some("scripted") => Ok(Arc::clone(self) as _),
            Some(other) => Err(Error::new(format!("there is no model `{other}`"))),
        }
    }

    fn acts_by_scripts(&self, _: Option<&str>) -> bool {
        self.by_scripts
    }

    fn names(&self) -> Vec<String> {
        vec!["scripted".to_owned()]
    }
}

/// The people.
#[derive(Default)]
pub(super) struct People {
    heard: Mutex<Vec<(SessionId, String)>>,
    seen: Mutex<Vec<String>>,
}

impl People {
    pub(super) fn heard(&self) -> Vec<String> {
        Scripted::lock(&self.heard).iter().map(|(_, text)| text.clone()).collect()
    }

    pub(super) fn seen(&self) -> Vec<String> {
        Scripted::lock(&self.seen).clone()
    }
}

impl Surface for People {
    fn progress(&self, _: &SessionId, _: &TurnId, progress: Progress<'_>) {
        Scripted::lock(&self.seen).push(format!("{progress:?}"));
    }

    fn send<'a>(&'a self, session: &'a SessionId, text: &'a str) -> BoxFuture<'a, Result<()>> {
        Scripted::lock(&self.heard).push((session.clone(), text.to_owned()));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// An agent.
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) kernel: Kernel,
    pub(super) history: Arc<MemoryHistory>,
    pub(super) model: Arc<Scripted>,
    pub(super) people: Arc<People>,
    pub(super) facts: Arc<Recorder>,
    pub(super) presences: Arc<Presences>,
    pub(super) approver: Arc<Approver>,
    pub(super) puppet: Arc<Puppet>,
}

/// Starts an agent whose plugin and settings are these.
pub(super) async fn world(probe: Value, settings: Value) -> World {
    let clock = Arc::new(FakeClock::default());
    let history = Arc::new(MemoryHistory::new(Arc::clone(&clock) as _));
    world_with(probe, settings, history).await
}

/// Starts an agent on what was kept before.
pub(super) async fn world_with(probe: Value, settings: Value, history: Arc<MemoryHistory>) -> World {
    start(probe, settings, history, Scripted::default()).await
}

/// Starts an agent whose model acts by scripts.
pub(super) async fn world_by_scripts(probe: Value, settings: Value) -> World {
    let history = Arc::new(MemoryHistory::new(Arc::new(FakeClock::default())));
    start(probe, settings, history, Scripted { by_scripts: true, ..Scripted::default() }).await
}

async fn start(probe: Value, settings: Value, history: Arc<MemoryHistory>, model: Scripted) -> World {
    let settings: Arc<AgentSettings> = Arc::new(serde_json::from_value(settings).expect("settings"));
    let presences = Arc::new(Presences::new(Arc::clone(&settings)));
    let (facts, approver) = (Arc::new(Recorder::default()), Arc::new(Approver::default()));
    let outbox = Arc::new(Outbox::default());
    let speaker = Arc::new(Speaker::new(Arc::clone(&history) as _, outbox));
    let ports = Ports::new()
        .with::<dyn MessagesPort>(Arc::clone(&speaker) as _)
        .with::<dyn SessionsPort>(Arc::new(Conversations(Arc::clone(&history) as _)))
        .with::<dyn FilesPort>(Arc::new(MemoryFiles::default()))
        .with::<dyn StorePort>(Arc::new(MemoryStore::default()))
        .with::<dyn ClockPort>(Arc::new(FakeClock::default()))
        .with::<dyn TasksPort>(Arc::new(FakeTasks::default()))
        .with::<dyn SchedulesPort>(Arc::new(FakeSchedules::default()))
        .with::<dyn RandomPort>(Arc::new(SeededRandom::new(0)))
        .with::<dyn ObserverPort>(Arc::clone(&facts) as _)
        .with::<dyn ProgressPort>(Arc::new(Reports))
        .with::<dyn ApprovalPort>(Arc::clone(&approver) as _)
        .with::<dyn PresencePort>(Arc::clone(&presences) as _);
    let mut limits = Limits::default();
    limits.breaker_failures = 0;
    let registry = crate::registry_of(|id| id == "probe");
    let kernel =
        Kernel::builder(registry).ports(ports).limits(limits).configure("probe", probe).start_all().await.expect("it starts");
    let (model, people, puppet) = (Arc::new(model), Arc::new(People::default()), Arc::new(Puppet::default()));
    let machine = Machine::start(Parts {
        kernel: kernel.clone(),
        history: Arc::clone(&history) as _,
        models: Arc::new(Arc::clone(&model)),
        scripts: Some(Arc::clone(&puppet) as _),
        surface: Arc::clone(&people) as _,
        settings: Arc::clone(&settings),
        presences: Arc::clone(&presences),
        speaker: Some(speaker),
    })
    .await
    .expect("the machine starts");
    World { machine, kernel, history, model, people, facts, presences, approver, puppet }
}

/// Starts an agent with nothing special.
pub(super) async fn usual() -> World {
    world(json!({}), json!({})).await
}

impl World {
    /// Takes a message in, in the session `s`.
    pub(super) async fn receive(&self, text: &str) -> Received {
        self.machine.receive(Inbound::operator("s", text)).await.expect("it is stored")
    }

    /// Says something, and waits for the end of its turn.
    pub(super) async fn say(&self, text: &str) -> Ended {
        self.turn(Inbound::operator("s", text)).await
    }

    pub(super) async fn turn(&self, inbound: Inbound) -> Ended {
        match self.machine.receive(inbound).await.expect("it is stored").fate {
            Fate::Answered(ended) => {
                let ended = ended.await.expect("the turn ends");
                self.machine.idle().await;
                ended
            }
            other => panic!("it is not answered: {other:?}"),
        }
    }

    /// Says something to which the model answers so.
    pub(super) async fn script(&self, text: &str, steps: impl IntoIterator<Item = Step>) -> Ended {
        self.model.then(steps);
        self.say(text).await
    }

    /// Returns the messages of the session `s`, oldest first, hidden ones too.
    pub(super) async fn messages(&self) -> Vec<Message> {
        let mut all = self.history.messages(&"s".into(), None, 10_000, true).await.expect("it is in memory");
        all.reverse();
        all
    }

    /// Returns the same, each on a line.
    pub(super) async fn told(&self) -> Vec<String> {
        let line = |message: &Message| {
            let hidden = if message.hidden { " (hidden)" } else { "" };
            let text = match &message.body {
                Body::Person { text, files, .. } => format!("person: {text}{}", "+file".repeat(files.len())),
                Body::Notice { text, .. } => format!("notice: {text}"),
                Body::Answer { text, calls, .. } => {
                    let calls: String = calls.iter().map(|call| format!(" {}", call.tool)).collect();
                    format!("answer: {text}{calls}")
                }
                Body::Result { tool, text, .. } => format!("{tool}: {text}"),
                Body::Summary { through, text } => format!("summary through {through}: {text}"),
            };
            format!("{text}{hidden}")
        };
        self.messages().await.iter().map(line).collect()
    }

    /// Returns what the plugin was asked, by decision.
    pub(super) async fn asked(&self, decision: &str) -> Vec<Value> {
        let reply = self.kernel.call("probe.asked", "{}", &Caller::host()).await.expect("it tells");
        let all: Vec<Value> = serde_json::from_str(&reply.json).expect("a list");
        all.into_iter().filter(|one| one["decision"] == decision).map(|one| one["event"].clone()).collect()
    }

    pub(super) fn facts<E: Fact>(&self) -> Vec<E> {
        self.facts.facts()
    }
}
