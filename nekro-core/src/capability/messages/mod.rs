//! Messages to the people in a conversation, and to the agent itself.

mod ask;
mod form;
mod message;

use std::{fmt, sync::Arc, time::Duration};

pub use self::{
    ask::Asking,
    form::{AnswerForm, AnswerKind, Choice},
    message::{Answer, Delivery, Message, MessageFile, Pushed, Trigger},
};
use super::{CapabilityDecl, reach};
use crate::{
    call::{BoxFuture, Call},
    caller::Caller,
    error::{Error, Result},
    ids::{PluginId, SessionId, UserId},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Messages to the people in a conversation: the one that the call belongs to, and others that the plugin declares.
///
/// A message goes to exactly the conversation that it is for, or there is an error that says why not.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Travel.
/// #[plugin(id = "travel", messages = ["telegram:*"])]
/// pub struct Travel;
///
/// /// Books a journey.
/// #[command(deadline = "5m")]
/// async fn book(messages: &Messages) -> Result<String> {
///     let city = messages.ask("Which city?").one_of(["Berlin", "Paris"]).await?.text;
///     messages.to("telegram:office")?.send(format!("Somebody travels to {city}.")).await?;
///     Ok(format!("You travel to {city}."))
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// let host = Host::of::<Travel>();
/// host.answer_with("Berlin");
/// assert_eq!(host.command("/book").unwrap().to_text(), "You travel to Berlin.");
/// assert_eq!(host.sent(), ["Which city?", "Somebody travels to Berlin."]);
/// # }
/// ```
#[derive(Clone)]
pub struct Messages {
    plugin: &'static PluginDecl,
    port: Arc<dyn MessagesPort>,
    session: Option<SessionId>,
    // The conversation of the call, and its person.
    own: Option<SessionId>,
    user: Option<UserId>,
    answer_deadline: Duration,
}

/// Where messages go. Implemented by the host.
pub trait MessagesPort: Send + Sync {
    /// Sends a message to exactly this conversation, or says why it could not.
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>>;

    /// Says why a message to this conversation would reach nobody, before anything is kept of it.
    ///
    /// # Errors
    ///
    /// `unreachable`.
    fn reaches(&self, _to: &SessionId) -> Result<()> {
        Ok(())
    }

    /// Tells the agent something, as a message of the system in this conversation.
    ///
    /// # Errors
    ///
    /// `not_at_work` if no agent takes messages in here.
    fn push(&self, to: &SessionId, from: &PluginId, text: String, trigger: Trigger) -> BoxFuture<'_, Result<Pushed>> {
        let _ = (to, from, text, trigger);
        Box::pin(std::future::ready(Err(not_at_work("take it in"))))
    }

    /// Sends a question, and waits for the next message of this person in this conversation; of anybody in it, if nobody is named. Whoever
    /// no longer waits has taken the question back.
    ///
    /// # Errors
    ///
    /// What [`MessagesPort::send`] says, `already_asked`, `cancelled` if somebody stops it, and `not_at_work` if nobody could answer.
    fn ask(&self, to: &SessionId, from: &PluginId, user: Option<&UserId>, question: Message) -> BoxFuture<'_, Result<Answer>> {
        let _ = (to, from, user, question);
        Box::pin(std::future::ready(Err(not_at_work("take the answer in"))))
    }
}

/// Returns the error of a host in which no messages come in.
fn not_at_work(what: &str) -> Error {
    Error::new(format!("no agent is at work here that could {what}"))
        .with_code("not_at_work")
        .with_hint("it works where people talk with the agent, such as `nekro chat`")
}

impl Messages {
    /// Makes a handle over a port, for what a plugin declares and who calls it. `answer_deadline` is how long answers are waited for.
    pub fn new(plugin: &'static PluginDecl, port: Arc<dyn MessagesPort>, caller: &Caller, answer_deadline: Duration) -> Self {
        let (session, user) = (caller.session.clone(), caller.user.clone());
        Self { plugin, port, own: session.clone(), session, user, answer_deadline }
    }

    /// Returns the messages to another conversation, which the plugin declares: `#[plugin(messages = ["telegram:*"])]`.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if it does not.
    pub fn to(&self, session: impl Into<SessionId>) -> Result<Self> {
        let session = session.into();
        reach::check(self.plugin, MESSAGES.name, self.own.as_ref(), &session)?;
        // Elsewhere, anybody may answer.
        let user = self.user.clone().filter(|_| self.own.as_ref() == Some(&session));
        Ok(Self { session: Some(session), user, ..self.clone() })
    }

    fn session(&self) -> Result<&SessionId> {
        self.session.as_ref().ok_or_else(|| {
            Error::new("there is no conversation to send the message to")
                .with_code("no_session")
                .with_hint("send messages from a call or an event that belongs to a session")
        })
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// `no_session` if the call belongs to no conversation, and whatever the channel says. A message never goes anywhere else.
    pub async fn send(&self, message: impl Into<Message>) -> Result<Delivery> {
        self.port.send(self.session()?, &self.plugin.id.into(), message.into()).await
    }

    /// Tells the agent something that no person hears; it may answer to the people.
    ///
    /// # Errors
    ///
    /// `no_session`, `not_at_work` if no agent takes it in, and `in_decision` in a handler that has a say about a message of the same
    /// conversation.
    pub async fn push_system(&self, text: impl Into<String>, trigger: Trigger) -> Result<Pushed> {
        self.port.push(self.session()?, &self.plugin.id.into(), text.into(), trigger).await
    }

    /// Asks the person who made the call something: their next message in the conversation is the answer, and begins no turn.
    ///
    /// A tool or a command that asks needs a `deadline` that leaves a person time. A question can want one of several answers
    /// ([`Asking::one_of`], [`Asking::yes_or_no`]). Never ask for a secret: the answer stays in the conversation.
    ///
    /// # Errors
    ///
    /// `no_answer` if none comes in time, `cancelled` if somebody stops it, `declined` if the person does not want to answer,
    /// `invalid_answer` if what comes is none of the answers three times, `already_asked`, and as [`Messages::push_system`].
    pub fn ask(&self, question: impl Into<Message>) -> Asking<'_> {
        Asking::new(self, question.into())
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("plugin", &self.plugin.id).field("session", &self.session).finish_non_exhaustive()
    }
}

static MESSAGES: CapabilityDecl = CapabilityDecl {
    name: "messages",
    summary: "sends messages to the conversation it is called from and to those that it declares, and asks the people there",
    scope: None,
    provided: |ports| ports.has::<dyn MessagesPort>(),
};

impl<P: Plugin> Lend<P> for Messages {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&MESSAGES);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn MessagesPort>(&MESSAGES, |gated| Arc::new(gated))?;
        let deadline = call.kernel.limits().answer_deadline;
        Ok(Loan::Handle(Self::new(call.plugin.decl(), port, call.caller, deadline)))
    }
}
