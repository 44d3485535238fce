//! A message on its way in, and what became of it.

use nekro_core::{MessageId, PluginId, Role, SessionId, TurnId, UserId, event::facts::TurnOutcome};
use tokio::sync::oneshot;

use crate::history::File;

/// A message that comes in.
#[derive(Clone, Debug)]
pub(crate) struct Inbound {
    /// The conversation; it begins if it has not.
    pub(crate) session: SessionId,
    /// Who takes part.
    pub(crate) company: Company,
    /// Who says it.
    pub(crate) from: From,
    /// What it says.
    pub(crate) text: String,
    /// Files that come with it.
    pub(crate) files: Vec<File>,
}

/// Who takes part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// One person and the agent: every message is answered.
    Private,
    /// Several people.
    Group {
        /// Whether the message mentions the agent, in the channel's own way.
        mentioned: bool,
    },
}

/// Who says something to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A person.
    Person {
        /// Who, if the channel says.
        user: Option<UserId>,
        /// What that person may do.
        role: Role,
    },
    /// A plugin or a schedule; no person hears it.
    System {
        /// The plugin; none if it is the agent's own.
        plugin: Option<PluginId>,
        /// Whether it wants an answer.
        answer: bool,
    },
}

impl Inbound {
    /// What the operator says in a private session.
    pub(crate) fn operator(session: impl Into<SessionId>, text: impl Into<String>) -> Self {
        Self {
            session: session.into(),
            company: Company::Private,
            from: From::Person { user: None, role: Role::Admin },
            text: text.into(),
            files: Vec::new(),
        }
    }
}

/// A message that was taken in.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its name.
    pub(crate) message: MessageId,
    /// What becomes of it.
    pub(crate) fate: Fate,
}

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is kept, and the agent neither sees nor answers it.
    Hidden,
    /// The agent sees it and does not answer.
    Unanswered {
        /// Why.
        reason: &'static str,
    },
    /// It is answered. What comes is the end of the turn that does; nothing comes if the agent ends before.
    Answered(oneshot::Receiver<Ended>),
}

/// How the turn ended that a message was part of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    /// The turn; none if the message was taken out of the queue before.
    pub(crate) turn: Option<TurnId>,
    /// How.
    pub(crate) outcome: TurnOutcome,
    /// What was said.
    pub(crate) answer: Option<String>,
    /// What went wrong, if something did.
    pub(crate) problem: Option<String>,
}
