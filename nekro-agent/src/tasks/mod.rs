//! Background tasks: what plugins start, and what goes on when the process ends.
//!
//! Every process may write tasks down (`desk`); one that is at work runs them (`runner`). A run is what the function sees of it (`run`). What is
//! kept, and when it counts, is known by `storage/tasks` alone: nothing here remembers what the database knows.

mod desk;
mod measured;
mod run;
mod runner;
mod settings;
#[cfg(test)]
mod tests;

use nekro_core::{BoxFuture, PluginId, Result, SessionId, TaskId};

pub use self::measured::Working;
pub(crate) use self::{
    desk::Desk,
    runner::{Runner, Scope},
    settings::TasksSettings,
};

/// The agent that tasks speak to, and the people before it. Implemented by the agent, called by the runner.
pub(crate) trait Audience: Send + Sync {
    /// Tells the agent something in a conversation; with `answer` it answers. It is kept when this returns.
    fn tell<'a>(&'a self, session: &'a SessionId, plugin: &'a PluginId, text: String, answer: bool) -> BoxFuture<'a, Result<()>>;

    /// Shows how far a task has come. It must not wait.
    fn progress(&self, session: &SessionId, task: &TaskId, name: &str, percent: u8, text: &str);
}
