//! Everything that a plugin needs: `use nekro_core::prelude::*;`.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

#[doc(no_inline)]
pub use crate::{
    Caller, Clock, Content, Ctx, Env, Error, Events, FileSource, Files, Http, Message, Messages, Note, Origin, Process, Random,
    Result, Role, SandboxPath, Schedule, Schedules, Secret, SessionId, Show, Store, Task, TaskEnd, TaskId, TaskState, Tasks,
    Timestamp, UserId, cleanup, command, event,
    event::{Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Signal, TurnGate, Verdict, decisions::*, facts::*},
    init, on_event, plugin, prompt, schedule, task, tool,
};
