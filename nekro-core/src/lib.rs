//! The contract between plugins and the agent, and the small kernel that runs it.
//!
//! A plugin is an ordinary crate of plain functions with attributes on them:
//!
//! ```
//! use nekro_core::prelude::*;
//!
//! /// Says hello.
//! #[plugin]
//! pub struct Hello;
//!
//! /// Greets somebody.
//! #[tool]
//! fn greet(
//!     /// Whom to greet.
//!     name: String,
//! ) -> String {
//!     format!("Hello, {name}!")
//! }
//! # fn main() {}
//! ```
//!
//! Four rules carry the contract:
//!
//! 1. **The struct is the plugin.** Its doc comment is the description, its fields are the configuration.
//! 2. **References are lent by the host, values come from the caller.** `&Store`, `&Ctx`, the configuration, what `#[init]` returned and
//!    the event are lent. Every other parameter is an argument, with a JSON Schema from its type and a doc comment that the model reads.
//! 3. **A function can touch only what its signature names.** So permissions are read off the signatures and cannot drift.
//! 4. **The return type says what happens next.** A value, a [`Note`], something the model must [`Show`], [`Content`]; for a decision,
//!    its verdict.
//!
//! The attributes leave the function as it was: a unit test simply calls it. [`testing`] runs a whole plugin with fake ports.

// The attributes are used here too, and name this crate as a plugin would.
extern crate self as nekro_core;

mod argument;
#[cfg(feature = "build")]
pub mod build;
mod bundle;
mod call;
mod caller;
mod capability;
mod command;
mod config;
mod duration;
mod error;
pub mod event;
mod handler;
mod ids;
mod init;
pub mod kernel;
mod lend;
mod location;
pub mod manifest;
mod offered;
mod output;
mod plugin;
pub mod policy;
pub mod prelude;
mod prompt;
mod route;
mod schedule;
mod secret;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod tool;
pub mod web;
mod webhook;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

/// A moment, as [`Clock::now`] returns it.
pub use jiff::Timestamp;
pub use nekro_macros::{cleanup, command, event, init, on_event, plugin, prompt, route, schedule, task, tool, webhook};

pub use self::{
    argument::{ArgumentDecl, ArgumentsError, ConfigMistake, FromArgument, Mistake, MistakeKind, suggest},
    call::{Body, BoxFuture, Call},
    caller::{Caller, Origin, Role},
    capability::{
        Answer, AnswerForm, AnswerKind, AsSandboxPath, Asking, By, CapabilityDecl, Choice, Clock, ClockPort, Collection,
        CommandBuilder, Conversation, Ctx, Delivery, Env, EnvPort, Events, Expected, FieldCondition, FieldTest, FileEntry,
        FileKind, FilePlace, FileSource, Files, FilesPort, Filter, Folder, Http, HttpAnswer, HttpBody, HttpMethod, HttpPort,
        HttpRequest, HttpResponse, HttpScope, HttpStream, Lifetime, Match, Matches, MemoryFiles, MemoryStore, MemoryVectors,
        Message, MessageFile, Messages, MessagesPort, Migration, MigrationStep, Model, ModelAnswer, ModelAsker, ModelMessage,
        ModelPort, ModelRequest, Multipart, NewTask, NewValue, Offers, Page, PastMessage, PathError, Peers, Ports, Process,
        ProcessOutput, ProcessPort, ProcessRequest, Progress, ProgressFollower, ProgressPort, ProgressReport, Pushed, Random,
        RandomPort, RequestBuilder, SandboxPath, Schedules, SchedulesPort, Scope, SearchBuilder, SearchBy, Secrets, SecretsPort,
        ServerAnswer, ServerTool, SessionInfo, SessionPage, Sessions, SessionsPort, Store, StoreLimits, StorePort, StoreUse,
        Stored, TakenFile, Task, TaskRun, Tasks, TasksPort, ToolServerFollower, ToolServerLink, ToolServers, ToolServersPort,
        Trigger, VectorMatches, VectorPlace, VectorPoint, VectorQuery, VectorSelection, VectorState, Vectors, VectorsPort,
        WholeBody, WriteHow,
    },
    command::CommandDecl,
    config::{read_settings, settings_schema},
    error::{Error, IntoError, Result},
    handler::{HandlerBody, HandlerDecl, Phase},
    ids::{CallId, MessageId, PluginId, SessionId, TaskId, TurnId, UserId},
    init::{HookDecl, When},
    lend::{Lend, LentDecl, LentKind, Loan},
    location::Location,
    offered::{NotOffered, OfferedBody, OfferedTool},
    output::{Content, Image, IntoReply, Kind, Note, Part, Reply, Show, Sound},
    plugin::{ConfigDecl, Plugin, PluginDecl, ScopeDecl},
    prompt::{IntoSection, PromptDecl},
    route::{Method, PlaceDecl, RouteDecl, RouteOutput},
    schedule::{
        Action, Cron, CronError, Misfire, Overlap, Schedule, ScheduleDecl, ScheduleRecord, When as ScheduleWhen, WhenDecl,
        Workdays,
    },
    secret::Secret,
    task::{TakesTheEnd, TaskArguments, TaskDecl, TaskEnd, TaskProblem, TaskRecord, TaskState, WhenDisabled},
    tool::{Effect, OutputDecl, ToolDecl},
    webhook::WebhookDecl,
};
