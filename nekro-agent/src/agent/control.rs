//! What people do to a session beside talking: stop, begin anew, choose a model or a persona, switch plugins.

use nekro_core::{
    Caller, Error, Result, SessionId, TurnId,
    event::{
        Approval,
        decisions::StateRequest,
        facts::{SessionClear, StateTransition},
    },
    suggest,
};
use serde::Serialize;
use serde_json::json;

use super::{Inner, Machine, profile::Profile};
use crate::history::{Session, SessionSettings, UsageTotal};

/// How a session is doing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    /// The session.
    pub(crate) session: SessionId,
    /// How many messages it has.
    pub(crate) messages: u64,
    /// How many of them wait to be answered.
    pub(crate) waiting: usize,
    /// The turn that is under way.
    pub(crate) turn: Option<TurnId>,
    /// The model.
    pub(crate) model: String,
    /// The state, if the agent has states.
    pub(crate) state: Option<String>,
    /// What it has cost.
    pub(crate) usage: UsageTotal,
}

impl Machine {
    /// Ends the turn that is under way and empties the queue: what waited stays in the history and is not answered. Returns whether
    /// there was anything to stop.
    pub(crate) fn stop(&self, session: &SessionId) -> bool {
        let any_question = self.0.questions.stop(session);
        self.0.sessions.get(session).is_some_and(|session| session.stop()) || any_question
    }

    /// Tells whether a question of a plugin's waits for an answer in a session.
    pub(crate) fn is_asked(&self, session: &SessionId) -> bool {
        self.0.questions.is_open(session)
    }

    /// Stops everything in every session, and waits until it has ended.
    pub(crate) async fn stop_all(&self) {
        self.0.questions.stop_all();
        for session in self.0.sessions.all() {
            session.stop();
        }
        self.idle().await;
    }

    /// Begins a conversation anew. Returns how many messages the model no longer sees.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) async fn reset(&self, session: &SessionId) -> Result<u64> {
        self.stop(session);
        let hidden = self.0.history.clear_session(session).await?;
        self.0.presences.forget(session);
        self.0.scripts.iter().for_each(|scripts| scripts.forget(session));
        self.0.kernel.emit(SessionClear { session: session.clone() });
        Ok(hidden)
    }

    /// Tells how a session is doing.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub(crate) async fn status(&self, session: &SessionId) -> Result<Status> {
        let inner = &self.0;
        let stored = inner.history.session(session).await?;
        let settings = stored.as_ref().map(|stored| stored.settings.clone()).unwrap_or_default();
        let profile = Profile::new(&inner.settings, session, &settings);
        let current = inner.sessions.get(session);
        Ok(Status {
            session: session.clone(),
            messages: stored.map_or(0, |stored| stored.messages),
            waiting: current.as_ref().map_or(0, |current| current.waiting().len()),
            turn: current.and_then(|current| current.turn()),
            model: inner.models.model(profile.model.as_deref())?.name().to_owned(),
            state: inner.state(&settings),
            usage: inner.history.usage(session).await?,
        })
    }

    /// Returns what holds in a session.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub(crate) async fn profile(&self, session: &SessionId) -> Result<Profile> {
        Ok(self.0.profile(session).await?.0)
    }

    /// Lists the models, for people to choose from.
    pub(crate) fn models(&self) -> Vec<String> {
        self.0.models.names()
    }

    /// Lists the names of the personas.
    pub(crate) fn personas(&self) -> impl Iterator<Item = &str> {
        self.0.settings.presets.keys().map(String::as_str)
    }

    /// Lists the states.
    pub(crate) fn states(&self) -> &[String] {
        &self.0.settings.states
    }

    /// Returns how many bytes a file may have that comes with a message.
    pub(crate) fn most_file_bytes(&self) -> u64 {
        self.0.settings.file_bytes
    }

    /// Lists the sessions that were used last.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub(crate) async fn sessions(&self, limit: usize) -> Result<Vec<Session>> {
        Ok(self.0.history.sessions(None, limit).await?.items)
    }

    /// Chooses the model of a session; `None` for what the settings say.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it cannot be written.
    pub(crate) async fn set_model(&self, session: &SessionId, model: Option<&str>) -> Result<()> {
        if let Some(name) = model {
            self.0.models.model(Some(name))?;
        }
        self.set(session, |settings| settings.model = model.map(str::to_owned)).await
    }

    /// Chooses the persona of a session, by the name of a preset or as a text; `None` for what the settings say.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) async fn set_persona(&self, session: &SessionId, persona: Option<&str>) -> Result<()> {
        self.set(session, |settings| settings.persona = persona.map(str::to_owned)).await
    }

    /// Switches a plugin on or off in a session.
    ///
    /// # Errors
    ///
    /// If there is no such plugin, or it cannot be written.
    pub(crate) async fn set_plugin(&self, session: &SessionId, plugin: &str, on: bool) -> Result<()> {
        let registry = self.0.kernel.registry();
        if registry.plugin(plugin).is_none() {
            let error = Error::new(format!("no plugin `{plugin}` is linked")).with_code("unknown_plugin");
            let known = registry.plugins().iter().map(|entry| entry.decl.id);
            return Err(match suggest(plugin, known) {
                Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                None => error.with_hint("`nekro plugins` lists them"),
            });
        }
        self.set(session, |settings| {
            settings.plugins.insert(plugin.to_owned(), on);
        })
        .await?;
        // For what a person does before the next turn.
        self.0.profile(session).await.map(drop)
    }

    /// Moves the agent of a session to another state, if plugins allow.
    ///
    /// # Errors
    ///
    /// If there is no such state, or it was refused.
    pub(crate) async fn set_state(&self, session: &SessionId, state: &str, caller: &Caller) -> Result<()> {
        self.0.set_state(session, state, caller).await
    }

    async fn set(&self, session: &SessionId, change: impl FnOnce(&mut SessionSettings)) -> Result<()> {
        self.0.set(session, change).await
    }
}

impl Inner {
    async fn set(&self, session: &SessionId, change: impl FnOnce(&mut SessionSettings)) -> Result<()> {
        self.history.begin_session(session).await?;
        let mut settings = self.settings_of(session).await?;
        change(&mut settings);
        self.history.set_session(session, settings).await
    }

    async fn settings_of(&self, session: &SessionId) -> Result<SessionSettings> {
        Ok(self.history.session(session).await?.map(|session| session.settings).unwrap_or_default())
    }

    /// Returns what holds in a session, and sees to it that the kernel knows which plugins take part.
    pub(super) async fn profile(&self, session: &SessionId) -> Result<(Profile, SessionSettings)> {
        let settings = self.settings_of(session).await?;
        let profile = Profile::new(&self.settings, session, &settings);
        self.presences.set_plugins(session, &profile.plugins);
        Ok((profile, settings))
    }

    /// Returns the state, if the agent has states. One that the settings no longer know is as if it had never been.
    pub(super) fn state(&self, settings: &SessionSettings) -> Option<String> {
        let states = &self.settings.states;
        let set = settings.state.as_ref().filter(|state| states.contains(state));
        set.or(states.first()).cloned()
    }

    /// Moves the agent of a session to another state, if plugins allow.
    pub(super) async fn set_state(&self, session: &SessionId, to: &str, caller: &Caller) -> Result<()> {
        let states = &self.settings.states;
        if !states.iter().any(|state| state == to) {
            let error = Error::new(format!("there is no state `{to}`")).with_code("unknown_state");
            return Err(match suggest(to, states.iter().map(String::as_str)) {
                Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                None => error.with_hint("`agent.states` lists them"),
            });
        }
        let from = self.state(&self.settings_of(session).await?).unwrap_or_default();
        if from == to {
            return Ok(());
        }
        let question = StateRequest { session: session.clone(), from: from.clone(), to: to.to_owned() };
        let refused = match self.kernel.decide(question, caller).await.verdict {
            Approval::Allow => None,
            Approval::Deny { reason } => Some(reason),
            Approval::Ask { reason } => {
                (!self.ask("state", &json!({ "from": from, "to": to }), &reason, caller).await).then_some(reason)
            }
        };
        if let Some(reason) = refused {
            return Err(Error::new(format!("the state stays `{from}`: {reason}")).with_code("denied"));
        }
        self.set(session, |settings| settings.state = Some(to.to_owned())).await?;
        self.kernel.emit(StateTransition { session: session.clone(), from, to: to.to_owned() });
        Ok(())
    }
}
