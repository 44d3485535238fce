//! Everything that a plugin needs: `use nekro_core::prelude::*;`.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

#[doc(no_inline)]
pub use crate::{
    By, Caller, Clock, Content, Ctx, Env, Error, Events, FileSource, Files, Http, Message, Messages, Migration, Model, Note,
    Origin, Peers, Process, Progress, Random, Result, Role, SandboxPath, Schedule, Schedules, Secret, Secrets, SessionId,
    Sessions, Show, Store, Task, TaskEnd, TaskId, TaskState, Tasks, Timestamp, Trigger, UserId, Vectors, cleanup, command, event,
    event::{Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Signal, TurnGate, Verdict, decisions::*, facts::*},
    init, on_event, plugin, prompt, route, schedule, task, tool,
    web::Hook,
    webhook,
};
