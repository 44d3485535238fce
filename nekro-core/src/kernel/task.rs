//! Running the function of a task: to its end, or until its plugin stops.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{
    Kernel, TaskEntry,
    call::forms,
    guard::{guarded, limited},
};
use crate::{
    argument::from_words,
    call::{Body, Call, Input},
    caller::Caller,
    capability::TaskRun,
    error::Error,
    output::Reply,
};

/// What became of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ran {
    /// The function returned.
    Returned(Reply),
    /// The function failed or panicked.
    Failed(Error),
    /// The plugin does not run, or stopped meanwhile: the function was given up where it waited.
    Stopped,
}

impl Kernel {
    /// Runs a task once. How long it may take is the host's concern, which gives it up by dropping the future.
    pub async fn run_task(&self, task: &TaskEntry, arguments: &str, caller: &Caller, run: &Arc<dyn TaskRun>) -> Ran {
        let Some(plugin) = self.running(task.plugin, caller.session.as_ref()).filter(|_| !self.0.live.load().halted) else {
            return Ran::Stopped;
        };
        let limit = task.decl.deadline.unwrap_or(Duration::MAX);
        let call = Call { kernel: self, plugin: &plugin, caller, limit, input: Input::Task { arguments, run } };
        let body = match task.decl.body {
            Body::Sync(body) => return ran(guarded(|| body(&call)), &task.name),
            Body::Async(body) => body,
        };
        // Its own limit is without the time that it waits, which only the host knows.
        let mut running = pin!(limited(body(&call), Duration::MAX));
        let mut gone = pin!(self.gone(task.plugin, caller));
        poll_fn(|context| match running.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(ran(result, &task.name)),
            Poll::Pending => gone.as_mut().poll(context).map(|()| Ran::Stopped),
        })
        .await
    }

    /// Reads the arguments of a task from words: options by name, the rest by position. Returns a JSON object.
    ///
    /// # Errors
    ///
    /// `invalid_arguments`, with every mistake.
    pub fn task_words(&self, task: &TaskEntry, words: &[String]) -> Result<String, Error> {
        let json = from_words(&forms(task.arguments(), task.decl.arguments), words)?;
        (task.decl.check)(&json)?;
        Ok(json)
    }

    /// Waits until a plugin no longer runs for a caller.
    async fn gone(&self, plugin: usize, caller: &Caller) {
        let mut changed = self.0.changed.subscribe();
        loop {
            // Seen before it is looked at: a change in between is not missed.
            changed.mark_unchanged();
            {
                let live = self.0.live.load();
                if live.halted || live.plugin(live.channel(caller.session.as_ref()), plugin).is_none() {
                    return;
                }
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

fn ran(result: Result<Reply, super::guard::Failure>, task: &str) -> Ran {
    match result {
        Ok(reply) => Ran::Returned(reply),
        Err(failure) => Ran::Failed(failure.into_error(task, "call_deadline")),
    }
}
