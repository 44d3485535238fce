//! Where a session's people are: a terminal, a chat, a socket.

use nekro_core::{
    BoxFuture, ProgressReport, Result, SessionId, TaskId, TurnId,
    event::facts::{ToolOutcome, TurnOutcome},
};

/// Where a session's people see what the agent does. Implemented by each surface, called by the turns.
pub(crate) trait Surface: Send + Sync {
    /// Sees what happens in a turn at the moment it does. It must not wait.
    fn progress(&self, session: &SessionId, turn: &TurnId, progress: Progress<'_>);

    /// Sees how far a task has come that was started in a session. It must not wait.
    fn task(&self, _session: &SessionId, _progress: TaskProgress<'_>) {}

    /// Sends what the agent says. It is accepted when this returns without an error.
    fn send<'a>(&'a self, session: &'a SessionId, text: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TaskProgress<'a> {
    /// The task.
    pub(crate) task: &'a TaskId,
    /// What it is, such as `index.build`.
    pub(crate) name: &'a str,
    /// In percent.
    pub(crate) percent: u8,
    /// What it says of that.
    pub(crate) text: &'a str,
}

/// What happens in a turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Progress<'a> {
    /// A model is asked.
    Thinking {
        /// Which.
        model: &'a str,
        /// The how manieth request of the turn, from 1.
        round: u32,
    },
    /// A part of what the model says came. It may yet be replaced: only what is sent counts.
    Text(&'a str),
    /// A part of what it thinks came.
    Reasoning(&'a str),
    /// What came of this answer so far does not count.
    Restart {
        /// The model that is asked now.
        model: &'a str,
        /// Why.
        reason: &'a str,
        /// How many milliseconds it waits before.
        wait_ms: u64,
    },
    /// A tool is called.
    CallBegan {
        /// Which call.
        call: &'a str,
        /// The tool.
        tool: &'a str,
        /// The arguments, as the model wrote them.
        arguments: &'a str,
    },
    /// A call that is under way has come so far.
    CallAdvanced {
        /// Which call.
        call: &'a str,
        /// The tool.
        tool: &'a str,
        /// How far.
        report: &'a ProgressReport,
    },
    /// A call has ended.
    CallEnded {
        /// Which call.
        call: &'a str,
        /// The tool.
        tool: &'a str,
        /// How.
        outcome: ToolOutcome,
        /// How long it took, in microseconds.
        micros: u64,
        /// What the model is shown.
        text: &'a str,
    },
    /// A script begins. What it calls is told as calls are, until it ends.
    ScriptBegan {
        /// Which call runs it.
        call: &'a str,
        /// Its source, as the model wrote it.
        source: &'a str,
    },
    /// A script has printed something.
    Printed(&'a str),
    /// A script has ended.
    ScriptEnded {
        /// Which call ran it.
        call: &'a str,
        /// How.
        outcome: ToolOutcome,
        /// How long it took, in microseconds.
        micros: u64,
        /// What the model is shown.
        text: &'a str,
    },
    /// The turn has ended.
    Ended {
        /// How.
        outcome: TurnOutcome,
        /// What went wrong, if something did.
        problem: Option<&'a str>,
    },
}
