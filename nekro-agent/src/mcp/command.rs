//! `nekro mcp`: one client, over standard input and output.

use std::{sync::Arc, time::Duration};

use nekro_core::{Caller, Origin, Role, SessionId};
use tokio::time::MissedTickBehavior;

use super::{Changes, Limits, Server, Tasks};
use crate::{
    assemble::Agent,
    cli::{Failure, Screen},
    settings::live::{Live, Notice},
    tasks::{Runner, Scope},
};

/// How often the settings are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Who is served, and how far.
pub(crate) struct Served {
    pub(crate) role: Role,
    pub(crate) session: String,
    pub(crate) limits: Limits,
    pub(crate) changes: Arc<Changes>,
}

/// Serves the client until it ends the input, or the program is told to end. Nothing but the protocol is printed to standard output.
pub(crate) async fn run(agent: &Agent, live: &Live, served: Served, screen: &Screen) -> Result<(), Failure> {
    let session = SessionId::from(served.session);
    let caller = Caller::new(Origin::McpClient, served.role).in_session(session.clone());
    let audience = Arc::new(agent.machine.clone());
    // What a client of this name has started goes on here, also if an earlier process was to end it.
    let scope = Scope::Session(session);
    let runner = Runner::start(agent.kernel.clone(), agent.desk.clone(), agent.book.clone(), audience, scope).await;
    let runner = runner.map_err(|error| Failure::of(&error))?;
    let tasks = Tasks::new(agent.desk.clone(), served.limits.task_poll_interval);
    let (changes, outbox) = (Arc::clone(&served.changes), Arc::clone(&agent.outbox));
    let server = Server::with(agent.kernel.clone(), caller, changes, Some(outbox), Some(tasks));
    let (input, output) = rmcp::transport::stdio_pipes();
    let result = tokio::select! {
        result = server.serve(input, output, served.limits) => result,
        () = follow(live, &served.changes, screen) => Ok(()),
        () = told_to_end() => Ok(()),
    };
    runner.stop().await;
    agent.kernel.stop().await;
    // What plugins have said since the last answer has no reader: standard output is the protocol's.
    drop(agent.outbox.take());
    result.map_err(|error| Failure::work(format!("the client could not be served: {error}")))
}

/// Takes up what changes in the settings.
async fn follow(live: &Live, changes: &Changes, screen: &Screen) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        live.look().await;
        for notice in live.notices() {
            match notice {
                // Which plugins are off in a channel changes without a fact.
                Notice::Changed(_) => changes.note(),
                Notice::Wrong(_) => screen.error(&notice.to_text(live.file()), None),
            }
        }
    }
}

#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    drop(tokio::signal::ctrl_c().await);
}
