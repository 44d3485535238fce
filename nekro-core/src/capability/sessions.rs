//! What was said in conversations: the one that the call belongs to, and others that the plugin declares.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CapabilityDecl, reach};
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    ids::{MessageId, PluginId, SessionId, UserId},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// The most messages or conversations on a page.
const MOST_ON_A_PAGE: usize = 200;

/// What was said in conversations: the one that the call belongs to, and others that the plugin declares.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Counts words.
/// #[plugin(id = "words")]
/// pub struct Words;
///
/// /// Counts the words that people said lately.
/// #[tool]
/// async fn count(sessions: &Sessions) -> Result<usize> {
///     let page = sessions.own()?.messages(None, 50).await?;
///     let of_people = page.iter().filter(|message| matches!(message.by, By::Person { .. }));
///     Ok(of_people.map(|message| message.text.split_whitespace().count()).sum())
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::of::<Words>();
/// host.said("test", By::Person { user: None }, "hello out there");
/// assert_eq!(host.call_as::<usize>("count", json!({})).unwrap(), 3);
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    plugin: &'static PluginDecl,
    port: Arc<dyn SessionsPort>,
    own: Option<SessionId>,
}

/// One conversation, as it can be read.
#[derive(Clone)]
pub struct Conversation {
    port: Arc<dyn SessionsPort>,
    id: SessionId,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PastMessage {
    /// Its id.
    pub id: MessageId,
    /// Its number in the conversation, from 1.
    pub number: u64,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// By whom.
    pub by: By,
    /// What.
    pub text: String,
    /// The names of files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

impl PastMessage {
    /// Makes one.
    pub fn new(id: impl Into<MessageId>, number: u64, at: Timestamp, by: By, text: impl Into<String>) -> Self {
        Self { id: id.into(), number, at, by, text: text.into(), files: Vec::new() }
    }
}

/// Who said something in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum By {
    /// A person.
    Person {
        /// Who, if the channel says.
        user: Option<UserId>,
    },
    /// The agent.
    Agent,
    /// A plugin, to the people.
    Plugin {
        /// Which.
        plugin: PluginId,
    },
    /// The system, to the agent.
    System {
        /// The plugin, if it was one.
        plugin: Option<PluginId>,
    },
    /// A tool, to the agent.
    Tool {
        /// Which.
        tool: String,
    },
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    #[schemars(with = "String")]
    pub began: Timestamp,
    /// When something was last said.
    #[schemars(with = "String")]
    pub used: Timestamp,
    /// How many messages it has.
    pub messages: u64,
}

impl SessionInfo {
    /// Makes one.
    pub fn new(id: impl Into<SessionId>, began: Timestamp, used: Timestamp, messages: u64) -> Self {
        Self { id: id.into(), began, used, messages }
    }
}

/// A page of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The conversations, the one that was used last first.
    pub items: Vec<SessionInfo>,
    /// The conversation to go on after, or `None` if this was all.
    pub next: Option<SessionId>,
}

/// Where conversations are kept. Implemented by the host.
pub trait SessionsPort: Send + Sync {
    /// Lists the messages of a conversation before a number, newest first. Those that were hidden are left out.
    fn messages(&self, session: &SessionId, before: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Vec<PastMessage>>>;

    /// Lists conversations, the one that was used last first, after the one at which the page before ended. Returns whether more follow.
    fn list(&self, after: Option<&SessionId>, limit: usize) -> BoxFuture<'_, Result<(Vec<SessionInfo>, bool)>>;
}

impl Sessions {
    /// Makes a handle over a port, for what a plugin declares.
    pub fn new(plugin: &'static PluginDecl, session: Option<SessionId>, port: Arc<dyn SessionsPort>) -> Self {
        Self { plugin, port, own: session }
    }

    /// Returns the conversation of this call.
    ///
    /// # Errors
    ///
    /// `no_session` if it belongs to none.
    pub fn own(&self) -> Result<Conversation> {
        let own = self.own.clone();
        let id = own.ok_or_else(|| Error::new("there is no conversation that could be read").with_code("no_session"))?;
        Ok(Conversation { port: Arc::clone(&self.port), id })
    }

    /// Returns another conversation, which the plugin declares: `#[plugin(sessions = ["telegram:*"])]`.
    ///
    /// # Errors
    ///
    /// `out_of_scope` if it does not.
    pub fn of(&self, session: impl Into<SessionId>) -> Result<Conversation> {
        let id = session.into();
        reach::check(self.plugin, SESSIONS.name, self.own.as_ref(), &id)?;
        Ok(Conversation { port: Arc::clone(&self.port), id })
    }

    /// Lists the conversations that the plugin may read, the one that was used last first, at most 200 at a time.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub async fn list(&self, after: Option<&SessionId>, limit: usize) -> Result<SessionPage> {
        let limit = limit.min(MOST_ON_A_PAGE);
        let may_read = |id: &SessionId| self.own.as_ref() == Some(id) || reach::declares(self.plugin, SESSIONS.name, id);
        let (mut items, mut after) = (Vec::new(), after.cloned());
        loop {
            let (found, more) = self.port.list(after.as_ref(), MOST_ON_A_PAGE).await?;
            let last = found.last().map(|info| info.id.clone());
            for info in found.into_iter().filter(|info| may_read(&info.id)) {
                if items.len() == limit {
                    let next = items.last().map(|info: &SessionInfo| info.id.clone());
                    return Ok(SessionPage { items, next });
                }
                items.push(info);
            }
            if !more || last.is_none() {
                return Ok(SessionPage { items, next: None });
            }
            after = last;
        }
    }
}

impl Conversation {
    /// Returns its id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Lists the messages before a number, newest first, at most 200 at a time: the last ones without a number. What was hidden is not
    /// among them.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub async fn messages(&self, before: Option<u64>, limit: usize) -> Result<Vec<PastMessage>> {
        self.port.messages(&self.id, before, limit.min(MOST_ON_A_PAGE)).await
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("plugin", &self.plugin.id).field("own", &self.own).finish_non_exhaustive()
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Conversation").field(&self.id).finish()
    }
}

static SESSIONS: CapabilityDecl = CapabilityDecl {
    name: "sessions",
    summary: "reads what was said in the conversation it is called from, and in those that it declares",
    scope: None,
    provided: |ports| ports.has::<dyn SessionsPort>(),
};

impl<P: Plugin> Lend<P> for Sessions {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&SESSIONS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn SessionsPort>(&SESSIONS, |gated| Arc::new(gated))?;
        Ok(Loan::Handle(Self::new(call.plugin.decl(), call.caller.session.clone(), port)))
    }
}
