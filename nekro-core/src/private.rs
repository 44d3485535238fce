//! What the expansion of the attributes names. No promise: it changes with the attributes.

pub use inventory;
pub use schemars;
pub use serde;

pub use crate::{
    argument::{
        Argument, ArgumentDecl, ConfigMistake, DefaultValue, FromArgument, JsonDefault, LimitUse, Number, OpaqueDefault, Slot,
        TextDefault,
    },
    call::{Body, BoxFuture, Call},
    caller::Role,
    capability::{Ctx, Migration, TASKS_LENT},
    command::CommandDecl,
    config::{read_config, read_nothing},
    error::Error,
    event::{Decision, Event, EventDecl, Fact, Sort, Subject, put_answer, trigger_decision, trigger_fact},
    handler::{HandlerBody, HandlerDecl, Phase, Sink},
    ids::{MaybeId, SessionId, TurnId},
    init::{HookDecl, State, When},
    kernel::{Delivered, DeliveredAs},
    lend::{Lend, Lent, LentDecl, LentKind, Loan, lend_config, lend_state},
    location::Location,
    output::{AnswerOf, Convert, FallibleTag, PlainTag, Probe, Reply, ReplyOf},
    plugin::{ConfigDecl, Plugin, PluginDecl, ScopeDecl},
    prompt::PromptDecl,
    route::{Method, PlaceDecl, RouteDecl, changing_fact},
    schedule::{Misfire, Overlap, ScheduleDecl, WhenDecl, Workdays},
    secret::Secret,
    task::{ArgumentsJson, TakesTheEnd, TaskArguments, TaskDecl, TaskEnd, WhenDisabled, start_as_tool, started_task},
    tool::{Effect, OutputDecl, ToolDecl},
    web::{Answer, HookSecret, Signature},
    webhook::WebhookDecl,
};

/// Passes an item on. `#[event]` wraps all that it makes in this, so that a crate without a plugin has one error and not one to each
/// path in the item.
pub use crate::__item as item;

/// Tells whether a module is the root of its crate.
pub const fn is_root(module: &str) -> bool {
    let (bytes, mut at) = (module.as_bytes(), 0);
    while at < bytes.len() {
        if bytes[at] == b':' {
            return false;
        }
        at += 1;
    }
    true
}

/// Checks the arguments of a call without making it.
///
/// # Errors
///
/// Names every argument that is wrong, missing or unknown.
pub fn check_arguments(json: &str, slots: &mut [&mut dyn Slot]) -> Result<(), Error> {
    crate::argument::read_object(json, slots).map_err(Error::from)
}

#[doc(hidden)]
#[macro_export]
macro_rules! __item {
    ($($tokens:tt)*) => {
        $($tokens)*
    };
}
