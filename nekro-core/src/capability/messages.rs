//! Messages to the people in a conversation.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    ids::{MessageId, PluginId, SessionId},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// Sends messages to the conversation that the call belongs to.
#[derive(Clone)]
pub struct Messages {
    port: Arc<dyn MessagesPort>,
    plugin: PluginId,
    session: Option<SessionId>,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Message {
    /// What to say, in Markdown.
    pub text: String,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

impl Message {
    /// Makes a message of text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), reply_to: None }
    }

    /// Makes it an answer to another message.
    #[must_use]
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.reply_to = Some(message.into());
        self
    }
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Delivery {
    /// The id it has in its conversation.
    pub message: MessageId,
}

impl Delivery {
    /// A message that was delivered.
    pub fn new(message: impl Into<MessageId>) -> Self {
        Self { message: message.into() }
    }
}

/// Where messages go. Implemented by the host.
pub trait MessagesPort: Send + Sync {
    /// Sends a message to exactly this conversation, or says why it could not.
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>>;
}

impl Messages {
    /// Makes a handle over a port.
    pub fn new(port: Arc<dyn MessagesPort>, plugin: PluginId, session: Option<SessionId>) -> Self {
        Self { port, plugin, session }
    }

    /// Sends a message to the conversation that this call belongs to.
    ///
    /// # Errors
    ///
    /// `no_session` if the call belongs to no conversation, and whatever the channel says. A message never goes anywhere else.
    pub async fn send(&self, message: impl Into<Message>) -> Result<Delivery> {
        let session = self.session.as_ref().ok_or_else(|| {
            Error::new("there is no conversation to send the message to")
                .with_code("no_session")
                .with_hint("send messages from a call or an event that belongs to a session")
        })?;
        self.port.send(session, &self.plugin, message.into()).await
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("session", &self.session).finish_non_exhaustive()
    }
}

static MESSAGES: CapabilityDecl = CapabilityDecl {
    name: "messages",
    summary: "sends messages to the conversation it is called from",
    scope: None,
    provided: |ports| ports.has::<dyn MessagesPort>(),
};

impl<P: Plugin> Lend<P> for Messages {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&MESSAGES);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = Arc::clone(call.kernel.ports().get::<dyn MessagesPort>()?);
        Ok(Loan::Handle(Self::new(port, call.plugin.id().clone(), call.caller.session.clone())))
    }
}
