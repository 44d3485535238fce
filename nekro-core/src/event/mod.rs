//! What happens, and what has to be decided.
//!
//! A **fact** has happened: handlers observe it, later and concurrently, and return nothing. A **decision** is being made: handlers
//! are awaited in order, and their verdicts are merged. Which of the two an event is, its type says, and so a handler's return type.

pub mod decisions;
pub mod facts;
mod verdict;

use std::{
    any::{Any, TypeId},
    fmt,
    marker::PhantomData,
};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use self::verdict::{
    Additions, Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Signal, Suppression, TurnGate, Verdict,
};
use crate::{
    call::{BoxFuture, Call},
    caller::Caller,
    error::Error,
    handler::Sink,
    ids::{SessionId, TurnId},
    kernel::Kernel,
    location::Location,
    plugin::PluginDecl,
};

/// An event: a fact or a decision. Implemented by `#[event]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "the first parameter of a handler is the event: a struct with `#[event]`, or one of `nekro_core::event::facts` and `nekro_core::event::decisions`"
)]
pub trait Event: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {
    /// What a handler answers: `()` for a fact, a [`Verdict`] for a decision.
    type Answer: Send + 'static;

    /// What the attribute and the doc comment say.
    const DECL: &'static EventDecl;

    /// Returns the conversation that it happened in.
    fn session(&self) -> Option<&SessionId> {
        None
    }

    /// Returns the turn that it happened in.
    fn turn(&self) -> Option<&TurnId> {
        None
    }

    /// What a handler is called with. The expansion names the type by this constant and the next alone, so that a wrong one is one
    /// error, where it is written.
    #[doc(hidden)]
    const SUBJECT: Subject<Self> = Subject { event: |call| call.event(), decl: Self::DECL };

    /// What a handler answers.
    #[doc(hidden)]
    const ANSWERED_WITH: AnsweredWith<Self, Self::Answer> = AnsweredWith(PhantomData);
}

/// Something that has happened. Implemented by `#[event]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fact",
    note = "only facts are emitted; a decision is asked by the part of the agent that needs it"
)]
pub trait Fact: Event<Answer = ()> {}

/// Something that has to be decided. Implemented by `#[event(decision = …)]`.
pub trait Decision: Event<Answer: Verdict> {
    /// Lets the handlers that follow see what this verdict changed. By default a verdict changes nothing.
    fn revise(&mut self, _verdict: &Self::Answer) {}
}

/// The declaration of an event.
pub struct EventDecl {
    /// The plugin that exports it; `None` for the agent's own.
    pub plugin: Option<&'static PluginDecl>,
    /// The name within the plugin.
    pub name: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// Whether it is a fact or a decision.
    pub sort: Sort,
    /// The Rust type.
    pub type_id: fn() -> TypeId,
    /// Describes the event.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Makes one from JSON, and emits or decides it.
    pub trigger: for<'a> fn(&'a Kernel, &'a str, &'a Caller) -> BoxFuture<'a, Result<Value, Error>>,
    /// Where the struct stands.
    pub location: Location,
}

impl EventDecl {
    /// Returns the name on the wire: `session_created` for the agent's own, `notes.note_saved` for a plugin's.
    pub fn wire_name(&self) -> String {
        match self.plugin {
            Some(plugin) => format!("{}.{}", plugin.id, self.name),
            None => self.name.to_owned(),
        }
    }
}

impl fmt::Debug for EventDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDecl").field("name", &self.wire_name()).field("sort", &self.sort).finish_non_exhaustive()
    }
}

/// The two sorts of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// It has happened.
    Fact,
    /// It has to be decided.
    Decision,
}

inventory::collect!(&'static EventDecl);

/// What a handler of event `E` can answer: nothing for a fact, the decision's verdict for a decision.
// The answer is a parameter, although the event determines it, so that the message can name it.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` returns `{A}` or `Result<{A}>`, not `{Self}`",
    label = "not an answer to `{E}`",
    note = "a fact has happened and is only observed, so its handler returns nothing; a decision is answered, so its handler returns a verdict"
)]
pub trait AnswerTo<E, A> {
    /// Turns it into the answer.
    fn answer(self) -> A;
}

#[diagnostic::do_not_recommend]
impl<E, A> AnswerTo<E, A> for A {
    fn answer(self) -> A {
        self
    }
}

/// Stands for what a handler of event `E` answers.
pub struct AnsweredWith<E, A>(PhantomData<fn() -> (E, A)>);

impl<E, A> fmt::Debug for AnsweredWith<E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnsweredWith")
    }
}

/// The event that a handler is called with.
pub struct Subject<E> {
    event: for<'a> fn(&'a Call<'a>) -> Result<&'a E, Error>,
    decl: &'static EventDecl,
}

impl<E> Subject<E> {
    /// Returns what the manifest knows of the event.
    pub const fn decl(&self) -> &'static EventDecl {
        self.decl
    }

    /// Returns the event.
    ///
    /// # Errors
    ///
    /// If the call brings none, which the kernel makes impossible.
    #[inline]
    pub fn of<'a>(&self, call: &'a Call<'a>) -> Result<&'a E, Error> {
        (self.event)(call)
    }
}

impl<E> fmt::Debug for Subject<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decl.fmt(f)
    }
}

/// Puts an answer where the kernel expects it; called by the expansion of `#[on_event]`.
#[inline]
pub fn put_answer<A: Any + Send>(sink: Sink<'_>, answer: A) {
    if let Some(place) = sink.downcast_mut::<Option<A>>() {
        *place = Some(answer);
    }
}

/// Emits a fact that came as JSON; called by the expansion of `#[event]`.
pub fn trigger_fact<'a, E: Fact>(kernel: &'a Kernel, json: &'a str, _: &'a Caller) -> BoxFuture<'a, Result<Value, Error>> {
    Box::pin(async move {
        kernel.emit(parse::<E>(json)?);
        Ok(Value::Null)
    })
}

/// Decides a decision that came as JSON; called by the expansion of `#[event]`.
pub fn trigger_decision<'a, E: Decision>(
    kernel: &'a Kernel,
    json: &'a str,
    caller: &'a Caller,
) -> BoxFuture<'a, Result<Value, Error>> {
    Box::pin(async move {
        let decided = kernel.decide(parse::<E>(json)?, caller).await;
        Ok(serde_json::to_value(decided.verdict)?)
    })
}

fn parse<E: Event>(json: &str) -> Result<E, Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let name = E::DECL.wire_name();
        Error::new(format!("the data is not a `{name}`: {error}"))
            .with_code("invalid_event")
            .with_hint(format!("`nekro events {name}` shows what it consists of"))
    })
}
