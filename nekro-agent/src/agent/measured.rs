//! A door for the benchmarks: turns with a model that answers at once, and their parts. Nobody else goes through it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use nekro_core::{
    BoxFuture, Caller, ClockPort, Result, SessionId, TurnId,
    kernel::{Kernel, PresencePort},
};

use super::{
    AgentSettings, Fate, Inbound, Machine, Models, Parts, Presences, Progress, Surface, inbound::Company, profile::Profile,
    prompt::Changes,
};
use crate::{
    history::{MemoryHistory, SessionSettings},
    model::{Answer, Entry, Model, ModelError, Request, Sink, ToolUse},
};

/// An agent to measure.
pub struct Measured {
    machine: Machine,
    number: AtomicU64,
}

/// Which plugins take part in it; the kernel's ports need that before the agent is there.
#[derive(Clone)]
pub struct Taking(Arc<Presences>, Arc<AgentSettings>);

impl Default for Taking {
    fn default() -> Self {
        let settings = Arc::new(AgentSettings::default());
        Self(Arc::new(Presences::new(Arc::clone(&settings))), settings)
    }
}

impl Taking {
    /// Returns it as the port.
    pub fn port(&self) -> Arc<dyn PresencePort> {
        Arc::clone(&self.0) as _
    }
}

impl Measured {
    /// Starts an agent whose model makes this call, if there is one, and then answers.
    pub async fn start(kernel: Kernel, taking: Taking, call: Option<(String, String)>) -> Result<Self> {
        let clock = Arc::clone(kernel.ports().get::<dyn ClockPort>()?);
        let Taking(presences, settings) = taking;
        let parts = Parts {
            kernel,
            history: Arc::new(MemoryHistory::new(clock)),
            models: Arc::new(AtOnce(call)),
            scripts: None,
            surface: Arc::new(Nobody),
            settings,
            presences,
            speaker: None,
        };
        Ok(Self { machine: Machine::start(parts).await?, number: AtomicU64::new(0) })
    }

    fn session(&self) -> SessionId {
        format!("s{}", self.number.fetch_add(1, Ordering::Relaxed)).into()
    }

    /// Takes a message in that is not answered.
    pub async fn take_in(&self) {
        let company = Company::Group { mentioned: false };
        let _ = self.machine.receive(Inbound { company, ..Inbound::operator(self.session(), "hello everybody") }).await;
    }

    /// Takes a message in, and waits for the end of its turn. Each is of a new session.
    pub async fn turn(&self) {
        self.say(self.session()).await;
    }

    /// Makes a session with so many messages, to read.
    pub async fn conversation(&self, messages: usize) -> SessionId {
        let session = self.session();
        for _ in 0..messages / 2 {
            self.say(session.clone()).await;
        }
        session
    }

    async fn say(&self, session: SessionId) {
        if let Ok(received) = self.machine.receive(Inbound::operator(session, "hello, what is there to do?")).await
            && let Fate::Answered(ended) = received.fate
        {
            let _ = ended.await;
        }
    }

    /// Puts together what the model reads first, and the functions.
    pub async fn prompt(&self, session: &SessionId) -> usize {
        let profile = Profile { persona: "Be kind.".to_owned(), ..Profile::default() };
        let caller = Caller::operator().in_session(session.clone());
        let (settings, changes) = (SessionSettings::default(), Changes::default());
        let prompt = self.machine.0.compose(session, &caller, &profile, &settings, &changes, None).await;
        prompt.system().len() + prompt.specs().len()
    }

    /// Reads a conversation.
    pub async fn window(&self, session: &SessionId) -> usize {
        self.machine.0.load(session, &[]).await.map_or(0, |window| window.entries(false).len())
    }
}

struct AtOnce(Option<(String, String)>);

impl Models for AtOnce {
    fn model(&self, _: Option<&str>) -> Result<Arc<dyn Model>> {
        Ok(Arc::new(Self(self.0.clone())))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Model for AtOnce {
    fn name(&self) -> &str {
        "at-once"
    }

    fn ask<'a>(&'a self, request: &'a Request, _: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        let mut answer = Answer { model: "at-once".to_owned(), ..Answer::default() };
        match &self.0 {
            Some((tool, arguments)) if !matches!(request.entries.last(), Some(Entry::Result { .. })) => {
                answer.calls = vec![ToolUse { id: "a".to_owned(), tool: tool.clone(), arguments: arguments.clone() }];
            }
            _ => "There is much to do.".clone_into(&mut answer.text),
        }
        Box::pin(std::future::ready(Ok(answer)))
    }
}

struct Nobody;

impl Surface for Nobody {
    fn progress(&self, _: &SessionId, _: &TurnId, _: Progress<'_>) {}

    fn send<'a>(&'a self, _: &'a SessionId, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
