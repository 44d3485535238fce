//! Everything that a plugin needs: `use nekro_core::prelude::*;`.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

#[doc(no_inline)]
pub use crate::{
    Caller, Clock, Content, Ctx, Env, Error, Events, FileSource, Files, Http, Message, Messages, Model, Note, Origin, Process,
    Random, Result, Role, SandboxPath, Secret, SessionId, Show, Store, Timestamp, UserId, Vectors, cleanup, command, event,
    event::{Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Signal, TurnGate, Verdict, decisions::*, facts::*},
    init, on_event, plugin, prompt, tool,
};
