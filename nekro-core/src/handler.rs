//! What `#[on_event]` says of a function.

use std::{any::Any, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    call::{BoxFuture, Call},
    error::Error,
    event::EventDecl,
    lend::LentDecl,
    location::Location,
    plugin::PluginDecl,
};

/// The declaration of an event handler.
#[derive(Debug)]
pub struct HandlerDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The function's name.
    pub name: &'static str,
    /// The doc comment, which a handler need not have.
    pub docs: &'static str,
    /// The event.
    pub event: &'static EventDecl,
    /// Which of the decision's handlers come first.
    pub phase: Phase,
    /// Within a phase, a higher priority comes first.
    pub priority: i32,
    /// How long it may take; `None` for the host's limit.
    pub deadline: Option<Duration>,
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// The function.
    pub body: HandlerBody,
    /// Where it stands.
    pub location: Location,
}

/// When a handler is called among the handlers of its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the others: checks that need the event as it came.
    Early,
    /// With most others.
    #[default]
    Normal,
    /// After the others: checks that need to see what they changed.
    Late,
}

/// Where a handler puts its answer: an `Option<E::Answer>`.
pub type Sink<'a> = &'a mut (dyn Any + Send);

/// A handler, without its types.
#[derive(Clone, Copy)]
pub enum HandlerBody {
    /// A plain function.
    Sync(for<'a> fn(&'a Call<'a>, Sink<'a>) -> Result<(), Error>),
    /// An `async` function.
    Async(for<'a> fn(&'a Call<'a>, Sink<'a>) -> BoxFuture<'a, Result<(), Error>>),
}

impl fmt::Debug for HandlerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Sync",
            Self::Async(_) => "Async",
        })
    }
}

inventory::collect!(&'static HandlerDecl);
