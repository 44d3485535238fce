//! What the host lends: one file to a capability.
//!
//! A capability is a small type that a function takes by reference. Most stand over a *port*, a trait that the host implements and
//! a test replaces. To add one: a file here with the type, its port and its [`Lend`](crate::lend::Lend) implementation.

mod clock;
mod ctx;
mod env;
mod events;
mod files;
mod gated;
mod http;
mod messages;
mod model;
mod offers;
mod peers;
mod process;
mod progress;
mod random;
mod reach;
mod schedules;
mod secrets;
mod sessions;
mod store;
mod tasks;
mod tool_servers;
mod vectors;

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::Arc,
};

pub use self::{
    clock::{Clock, ClockPort},
    ctx::Ctx,
    env::{Env, EnvPort},
    events::Events,
    files::{
        AsSandboxPath, FileEntry, FileKind, FilePlace, FileSource, Files, FilesPort, Folder, MemoryFiles, PathError, SandboxPath,
        TakenFile, WriteHow,
    },
    http::{
        Http, HttpAnswer, HttpBody, HttpMethod, HttpPort, HttpRequest, HttpResponse, HttpScope, HttpStream, Multipart,
        RequestBuilder, WholeBody,
    },
    messages::{
        Answer, AnswerForm, AnswerKind, Asking, Choice, Delivery, Message, MessageFile, Messages, MessagesPort, Pushed, Trigger,
    },
    model::{Model, ModelAnswer, ModelAsker, ModelMessage, ModelPort, ModelRequest},
    offers::Offers,
    peers::Peers,
    process::{CommandBuilder, Process, ProcessOutput, ProcessPort, ProcessRequest},
    progress::{Progress, ProgressFollower, ProgressPort, ProgressReport},
    random::{Random, RandomPort},
    schedules::{Schedules, SchedulesPort},
    secrets::{Secrets, SecretsPort},
    sessions::{By, Conversation, PastMessage, SessionInfo, SessionPage, Sessions, SessionsPort},
    store::{
        Expected, Lifetime, MemoryStore, Migration, MigrationStep, NewValue, Page, Scope, Store, StoreLimits, StorePort,
        StoreUse, Stored,
    },
    tasks::{NewTask, TASKS_LENT, Task, TaskRun, Tasks, TasksPort},
    tool_servers::{ServerAnswer, ServerTool, ToolServerFollower, ToolServerLink, ToolServers, ToolServersPort},
    vectors::{
        Collection, FieldCondition, FieldTest, Filter, Match, Matches, MemoryVectors, SearchBuilder, SearchBy, VectorMatches,
        VectorPlace, VectorPoint, VectorQuery, VectorSelection, VectorState, Vectors, VectorsPort,
    },
};
pub(crate) use self::{
    files::{RESOURCES, beginning, shows},
    offers::OFFERS,
    peers::PEERS,
    store::STORE,
    tasks::port as tasks_port,
};
use crate::error::Error;

/// The names of the capabilities that a policy can speak of, whether or not a plugin takes them.
pub(crate) const NAMES: &[&str] = &[
    "clock",
    "env",
    "events",
    "files",
    "http",
    "messages",
    "model",
    "offers",
    "peers",
    "process",
    "random",
    "resources",
    "schedules",
    "secrets",
    "sessions",
    "store",
    "tasks",
    "tool_servers",
    "vectors",
];

/// A permission: what taking a capability lets a function do.
#[derive(Debug)]
pub struct CapabilityDecl {
    /// The name in the manifest, the policy and the audit, such as `store`.
    pub name: &'static str,
    /// What a function that takes it can do, in one sentence.
    pub summary: &'static str,
    /// For one that reaches only as far as its plugin declares: what the plugin has to say, told to whoever has not. `None` for one
    /// without bounds.
    pub scope: Option<&'static str>,
    /// Tells whether the host has it.
    pub provided: fn(&Ports) -> bool,
}

/// What the host implements for its plugins: one value to a port trait.
///
/// ```
/// # use std::sync::Arc;
/// # use nekro_core::{MemoryStore, Ports, StorePort};
/// let ports = Ports::new().with::<dyn StorePort>(Arc::new(MemoryStore::default()));
/// assert!(ports.has::<dyn StorePort>());
/// ```
#[derive(Default)]
pub struct Ports(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Ports {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the implementation of a port, in place of the one before.
    #[must_use]
    pub fn with<P: ?Sized + Send + Sync + 'static>(mut self, port: Arc<P>) -> Self {
        self.0.insert(TypeId::of::<P>(), Box::new(port));
        self
    }

    /// Adds another set; where both have a port, the other's counts.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Tells whether the port is implemented.
    pub fn has<P: ?Sized + Send + Sync + 'static>(&self) -> bool {
        self.0.contains_key(&TypeId::of::<P>())
    }

    /// Returns the implementation of a port.
    ///
    /// # Errors
    ///
    /// If the host has none.
    pub fn get<P: ?Sized + Send + Sync + 'static>(&self) -> Result<&Arc<P>, Error> {
        self.0.get(&TypeId::of::<P>()).and_then(|port| port.downcast_ref()).ok_or_else(|| {
            Error::new(format!("this agent has no implementation of `{}`", std::any::type_name::<P>())).with_code("unavailable")
        })
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").field("count", &self.0.len()).finish()
    }
}
