//! A server on a port of its own, for the benchmarks.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use nekro_core::kernel::Registry;
use tokio::sync::watch;

use super::{
    access::Tokens,
    background::Background,
    connection::Doors,
    feed::Feed,
    server::{Kept, Server},
    settings::ServeSettings,
};
use crate::{
    assemble::{self, Mode},
    model::{Models, settings::ModelsSettings},
    ports::SystemClock,
    settings::{Catalogue, Checked, Sources, live::Live},
    storage::{DataDirectory, Storage},
};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is asked with.
    pub token: String,
    _end: watch::Sender<bool>,
}

/// Serves plugins, with everything that a request goes through and without a rate that matters.
///
/// # Panics
///
/// If it cannot be started.
pub async fn serve(registry: Registry, directory: PathBuf) -> Served {
    let catalogue = Catalogue::of(&registry);
    let storage = Arc::new(Storage::new(DataDirectory::new(directory), Arc::new(SystemClock)));
    let models = Models::new(&ModelsSettings::default(), std::path::Path::new(""));
    let models = Arc::new(models.unwrap_or_else(|_| panic!("the defaults are right")));
    let rate = "1000000/1ms".parse().expect("a rate");
    let settings = ServeSettings { listen: SocketAddr::from(([127, 0, 0, 1], 0)), rate, ..ServeSettings::default() };
    let feed = Arc::new(Feed::new(settings.kept_events, None));
    let mode = Mode { observer: Some(Arc::clone(&feed) as _), approval: Some(super::approval()), ..Mode::default() };
    let started = assemble::start(registry, &Checked::default(), &storage, models, mode, Arc::clone(&feed) as _).await;
    let (agent, _) = started.unwrap_or_else(|error| panic!("{error}"));
    let token = "a token for measuring".to_owned();
    let sources = Sources::new(None, Vec::new());
    let live = Live::new(agent.kernel.clone(), sources, catalogue, std::collections::BTreeSet::new(), Checked::default(), 0);
    let (end, ending) = watch::channel(false);
    let server = Arc::new(Server {
        kernel: agent.kernel.clone(),
        machine: agent.machine.clone(),
        storage,
        background: Background::of(&agent),
        live,
        feed,
        tokens: Tokens::new(&token, &settings),
        settings: settings.clone(),
        has_console: false,
        kept: Kept::new(&settings, ending.clone()),
        #[cfg(feature = "mcp")]
        changes: Arc::default(),
        #[cfg(feature = "mcp")]
        mcp_limits: crate::mcp::Limits::default(),
    });
    let doors = Doors::open(&settings).await.expect("a free port");
    let address = doors.address().expect("an address");
    let deadline = settings.shutdown_deadline;
    drop(tokio::spawn(async move {
        let _agent = agent;
        doors.serve(&server, &settings, ending, deadline).await;
    }));
    Served { address, token, _end: end }
}
