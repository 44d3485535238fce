//! A message comes in: it is stored first, then plugins have their say, and then it waits for its turn.

use std::sync::Arc;

use nekro_core::{
    Answer, Caller, Error, MessageId, Origin, Result, Role, SessionId,
    event::{
        Approval, Incoming, Rewrite, Signal,
        decisions::{Attachment, BusyMessage, SystemMessage, UserMessage},
        facts::{MessageReceived, SessionCreated},
    },
    kernel::{ApprovalPort, ApprovalRequest},
};
use serde_json::json;
use tokio::{sync::oneshot, time::Instant};
use tracing::Instrument;

use super::{
    Inner, Machine,
    inbound::{Company, Fate, From, Inbound, Received},
    session::{Put, Session, Waiting},
    trigger, work,
};
use crate::history::{Body, File, Message, NewMessage};

tokio::task_local! {
    /// The session whose door is held by what runs.
    static INSIDE: SessionId;
}

/// Refuses what would wait for the door that the caller itself keeps shut.
pub(super) fn not_inside(session: &SessionId) -> Result<()> {
    if INSIDE.try_with(|inside| inside == session).unwrap_or(false) {
        return Err(Error::new(format!("a message is being taken into `{session}` just now, and this waits for it"))
            .with_code("in_decision")
            .with_hint("do it in a tool, a command, or a handler of a fact such as `message_received`"));
    }
    Ok(())
}

impl Machine {
    /// Takes a message in. What has been taken in is stored and goes on, also if nobody waits for this to return.
    ///
    /// # Errors
    ///
    /// If it cannot be stored: then nothing has happened.
    pub(crate) async fn receive(&self, inbound: Inbound) -> Result<Received> {
        let inner = Arc::clone(&self.0);
        let at_work = inner.at_work();
        let span = tracing::info_span!("message", session = %inbound.session);
        let taken_in = async move {
            let session = inner.sessions.enter(&inbound.session);
            let received = INSIDE.scope(session.id.clone(), inner.take_in(&session, inbound)).await;
            inner.sessions.leave(session);
            drop(at_work);
            received
        };
        let taken_in = tokio::spawn(taken_in.instrument(span));
        taken_in.await.map_err(|_| Error::new("the message could not be taken in: the agent is ending").with_code("ending"))?
    }

    /// Begins a session, if it has not begun. The first message does that too.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) async fn open(&self, session: &SessionId, user: Option<&nekro_core::UserId>) -> Result<()> {
        self.0.open(session, user).await
    }
}

impl Inner {
    async fn open(&self, session: &SessionId, user: Option<&nekro_core::UserId>) -> Result<()> {
        if self.history.begin_session(session).await? {
            let channel = session.channel().to_owned();
            self.kernel.emit(SessionCreated { session: session.clone(), channel, user: user.cloned() });
        }
        Ok(())
    }

    async fn take_in(self: &Arc<Self>, session: &Arc<Session>, inbound: Inbound) -> Result<Received> {
        let _door = session.door.lock().await;
        let Inbound { company, from, text, files, .. } = inbound;
        let (user, role) = match &from {
            From::Person { user, role } => (user.clone(), *role),
            // A plugin may do what it was given; it is no person's errand.
            From::System { .. } => (None, Role::User),
        };
        self.open(&session.id, user.as_ref()).await?;
        let message = self.store(session, &from, &text).await?;
        self.kernel.emit(MessageReceived {
            session: session.id.clone(),
            message: message.id.clone(),
            user: user.clone(),
            text: text.clone(),
        });
        let mut caller = Caller::new(Origin::Person, role).in_session(session.id.clone());
        caller.user.clone_from(&user);
        if let From::System { plugin, .. } = &from {
            caller.origin = plugin.clone().map_or(Origin::Host, Origin::Plugin);
        }
        self.take_files(session, &message.id, &user, files, &caller).await?;
        let (text, signal) = self.decide_message(session, &message, &from, text, &caller).await?;
        if signal != Signal::BlockAll
            && let From::Person { user, .. } = &from
            && let Some(by) = self.questions.answer(&session.id, &Answer::new(&*text, message.id.clone(), user.clone()))
        {
            return Ok(Received { message: message.id, fate: Fate::Taken { by } });
        }
        let reason = match (signal, &from, company) {
            (Signal::BlockAll, ..) => return Ok(Received { message: message.id, fate: Fate::Hidden }),
            (Signal::BlockTrigger, ..) => Some("a plugin decided that it is not answered"),
            (Signal::Continue, From::System { answer: false, .. }, _) => Some("it wants no answer"),
            (Signal::Continue, From::Person { .. }, Company::Group { mentioned }) => {
                let ours = trigger::is_for_us(&self.settings, &text, mentioned, &self.random);
                (!ours).then_some("it is not for the agent")
            }
            (Signal::Continue | Signal::ForceTrigger, ..) => None,
        };
        if let Some(reason) = reason {
            return Ok(Received { message: message.id, fate: Fate::Unanswered { reason } });
        }
        if let Some(turn) = session.turn() {
            self.tell_busy(session, turn, &message.id, &caller).await;
        }
        let (done, ended) = oneshot::channel();
        let waiting = Waiting {
            message: message.id.clone(),
            number: message.number,
            text,
            user,
            role,
            is_group: company != Company::Private,
            since: Instant::now(),
            done,
        };
        let fate = match session.put(waiting, self.settings.queue) {
            Put::Full => {
                tracing::warn!(session = %session.id, "the queue is full (`agent.queue` is {})", self.settings.queue);
                Fate::Unanswered { reason: "too many messages wait already (`agent.queue`)" }
            }
            Put::Waits => Fate::Answered(ended),
            Put::Serve => {
                work::serve(self, session);
                Fate::Answered(ended)
            }
        };
        Ok(Received { message: message.id, fate })
    }

    async fn store(&self, session: &Session, from: &From, text: &str) -> Result<Message> {
        let text = text.to_owned();
        let body = match from {
            From::Person { user, .. } => Body::Person { user: user.clone(), text, original: None, files: Vec::new() },
            From::System { plugin, .. } => Body::Notice { plugin: plugin.clone(), text, original: None },
        };
        self.append(session, body).await
    }

    async fn append(&self, session: &Session, body: Body) -> Result<Message> {
        let written = self.history.append(&session.id, vec![NewMessage { turn: None, hidden: false, body }]).await?;
        written.into_iter().next().ok_or_else(|| Error::new("the message was not written"))
    }

    /// Asks plugins about the files of a message. The message itself is stored by then; a file is when it was allowed.
    async fn take_files(
        &self,
        session: &Session,
        message: &MessageId,
        user: &Option<nekro_core::UserId>,
        files: Vec<File>,
        caller: &Caller,
    ) -> Result<()> {
        let mut allowed = Vec::new();
        for file in files {
            let question = Attachment {
                session: session.id.clone(),
                message: message.clone(),
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                bytes: file.bytes.len() as u64,
            };
            let refused = match self.kernel.decide(question, caller).await.verdict {
                Approval::Allow => None,
                Approval::Deny { reason } => Some(reason),
                Approval::Ask { reason } => {
                    let about = json!({ "name": file.name, "media_type": file.media_type, "bytes": file.bytes.len() });
                    (!self.ask("attachment", &about, &reason, caller).await).then_some(reason)
                }
            };
            match refused {
                None => allowed.push(file),
                Some(reason) => {
                    let text = format!("The file `{}` was not taken in: {reason}", file.name);
                    self.append(session, Body::Notice { plugin: None, text, original: None }).await?;
                }
            }
        }
        if !allowed.is_empty() {
            let body = Body::Person { user: user.clone(), text: String::new(), original: None, files: allowed };
            self.append(session, body).await?;
        }
        Ok(())
    }

    /// Asks a person; nobody there means no.
    pub(super) async fn ask(&self, what: &str, about: &serde_json::Value, reason: &str, caller: &Caller) -> bool {
        let Ok(person) = self.kernel.ports().get::<dyn ApprovalPort>() else { return false };
        let request = ApprovalRequest::new(what, about, reason, caller);
        let limit = self.kernel.limits().approval_deadline;
        tokio::time::timeout(limit, person.ask(&request)).await.unwrap_or(false)
    }

    /// Lets plugins hold back or rewrite a message.
    async fn decide_message(
        &self,
        session: &Session,
        message: &Message,
        from: &From,
        text: String,
        caller: &Caller,
    ) -> Result<(String, Signal)> {
        let (session, id) = (session.id.clone(), message.id.clone());
        let Incoming { signal, text: rewritten } = match from {
            From::Person { user, .. } => {
                let question = UserMessage { session, message: id, user: user.clone(), text: text.clone() };
                self.kernel.decide(question, caller).await.verdict
            }
            From::System { plugin, .. } => {
                let question = SystemMessage { session, message: id, plugin: plugin.clone(), text: text.clone() };
                self.kernel.decide(question, caller).await.verdict
            }
        };
        let is_hidden = signal == Signal::BlockAll;
        let rewritten = rewritten.filter(|new| *new != text);
        if is_hidden || rewritten.is_some() {
            let session = caller.session.as_ref().expect("the caller was put into the session");
            self.history.revise(session, message.number, rewritten.clone(), is_hidden).await?;
        }
        Ok((rewritten.unwrap_or(text), signal))
    }

    /// Tells somebody that the agent is working.
    async fn tell_busy(&self, session: &Session, turn: nekro_core::TurnId, message: &MessageId, caller: &Caller) {
        let text = self.settings.busy_message.clone();
        let question = BusyMessage { session: session.id.clone(), turn, message: message.clone(), text };
        let decided = self.kernel.decide(question, caller).await;
        let text = match decided.verdict {
            Rewrite::Replace { text } => text,
            Rewrite::Keep => decided.event.text,
        };
        if !text.is_empty()
            && let Err(error) = self.surface.send(&session.id, &text).await
        {
            tracing::warn!(session = %session.id, "the message that the agent is busy could not be sent: {error}");
        }
    }
}
