//! `nekro mcp`: one client, over standard input and output.

use std::{sync::Arc, time::Duration};

use nekro_core::{Caller, Origin, Role};
use tokio::time::MissedTickBehavior;

use super::{Changes, Limits, Server};
use crate::{
    assemble::Agent,
    cli::{Failure, Screen},
    settings::live::{Live, Notice},
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
    let caller = Caller::new(Origin::McpClient, served.role).in_session(served.session);
    let server = Server::with(agent.kernel.clone(), caller, Arc::clone(&served.changes), Some(Arc::clone(&agent.outbox)));
    let (input, output) = rmcp::transport::stdio_pipes();
    let result = tokio::select! {
        result = server.serve(input, output, served.limits) => result,
        () = follow(live, &served.changes, screen) => Ok(()),
        () = told_to_end() => Ok(()),
    };
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
