//! `nekro serve`: listening until the program is told to end, and then letting what is under way come to its end.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::watch, time::MissedTickBehavior};

use super::{
    access::{TOKEN_FILE, Tokens, own_token},
    background::Background,
    connection::Doors,
    feed::Feed,
    hooks,
    server::{Kept, Server},
    settings::ServeSettings,
};
use crate::{
    assemble::Agent,
    cli::{Failure, Screen},
    settings::live::{Live, Notice},
    storage::Storage,
    style::DIM,
};

/// How often the settings are looked at.
const TICK: Duration = Duration::from_secs(1);

/// What is served.
pub(crate) struct Served {
    pub(crate) settings: ServeSettings,
    pub(crate) feed: Arc<Feed>,
    pub(crate) storage: Arc<Storage>,
    #[cfg(feature = "mcp")]
    pub(crate) changes: Arc<crate::mcp::Changes>,
    #[cfg(feature = "mcp")]
    pub(crate) mcp_limits: crate::mcp::Limits,
}

/// Serves until the program is told to end. Turns that are under way then come to their end, for as long as the settings say.
pub(crate) async fn run(agent: &Agent, live: &Arc<Live>, served: Served, screen: &Screen) -> Result<(), Failure> {
    let Served { settings, feed, storage, .. } = served;
    let mistakes = settings.mistakes();
    if !mistakes.is_empty() {
        return Err(Failure::usage(mistakes.join("\n")));
    }
    let directory = storage.directory();
    directory.prepare().map_err(Failure::storage)?;
    let token = own_token(directory.path()).map_err(Failure::storage)?;
    let doors = Doors::open(&settings).await.map_err(|error| {
        Failure::work(error).with_hint("`serve.listen` is another address or port; port 0 takes one that is free")
    })?;
    let address = doors.address().map_err(Failure::work)?;
    let mut signals = Signals::new();
    let (end, ending) = watch::channel(false);
    let server = Arc::new(Server {
        kernel: agent.kernel.clone(),
        machine: agent.machine.clone(),
        storage: Arc::clone(&storage),
        background: Background::of(agent),
        live: Arc::clone(live),
        feed,
        tokens: Tokens::new(&token, &settings),
        has_console: !screen.is_json() && std::io::stdout().is_terminal(),
        kept: Kept::new(&settings, ending.clone()),
        settings: settings.clone(),
        #[cfg(feature = "mcp")]
        changes: served.changes,
        #[cfg(feature = "mcp")]
        mcp_limits: served.mcp_limits,
    });
    let token_file = directory.path().join(TOKEN_FILE);
    screen.show(&json!({ "listening": format!("http://{address}"), "token_file": token_file, "auth": settings.auth }), || {
        let token = if settings.auth {
            format!("the token is in {}", token_file.display())
        } else {
            "everybody on this machine is an admin (`serve.auth` is false)".to_owned()
        };
        format!("listening on http://{address} {DIM}({token}; http://{address}/api/docs lists what there is){DIM:#}")
    });
    let deadline = settings.shutdown_deadline;
    // Whoever follows a session is sent what plugins say in it, and it is stored for the others: no session is out of reach.
    agent.outbox.show_all();
    let handling = tokio::spawn(hooks::handle(Arc::clone(&server), ending.clone()));
    let serving = doors.serve(&server, &settings, ending, deadline);
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = follow(agent, live, screen) => {}
        () = signals.told() => {}
    }
    // Nothing new comes in; streams end; turns come to their end, unless that takes too long or the program is told once more.
    end.send_replace(true);
    let finishing = async {
        serving.await;
        agent.machine.idle().await;
        // One that is being handled comes to its end; the others wait on the disk.
        let _ = handling.await;
    };
    tokio::select! {
        finished = tokio::time::timeout(deadline, finishing) => {
            if finished.is_err() {
                tracing::warn!("turns were still under way after {deadline:?} (`serve.shutdown_deadline`), and were stopped");
            }
        }
        () = signals.told() => {}
    }
    // What goes on in the background goes on with the next process.
    agent.rest().await;
    agent.machine.stop_all().await;
    // What plugins have said has been kept and sent on as facts.
    drop(agent.outbox.take());
    Ok(())
}

/// Takes up what changes in the settings.
async fn follow(agent: &Agent, live: &Live, screen: &Screen) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        live.look().await;
        for notice in live.notices() {
            match notice {
                Notice::Changed(_) => screen.show(&notice.to_json(), || notice.to_text(live.file())),
                Notice::Wrong(_) => screen.error(&notice.to_text(live.file()), None),
            }
        }
        drop(agent.outbox.take());
    }
}

/// What tells the program to end. It listens from the moment it is made: whoever reads where the server listens may end it at once.
struct Signals {
    #[cfg(unix)]
    both: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    fn new() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let terminate = signal(SignalKind::terminate()).ok();
            Self { both: terminate.zip(signal(SignalKind::interrupt()).ok()) }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits until the program is told to end, or to end once more.
    async fn told(&mut self) {
        #[cfg(unix)]
        if let Some((terminate, interrupt)) = &mut self.both {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        drop(tokio::signal::ctrl_c().await);
    }
}
