//! The log: warnings on standard error, and everything of note on the disk, where it can be asked for.
//!
//! On the disk each entry is a line of JSON, in files that are begun anew when they are full. Secrets that the settings know are taken out
//! before anything is written.

mod file;
mod layer;
mod listen;
mod read;

use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use nekro_core::{Secret, kernel::Registry};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt};

#[cfg(feature = "mcp")]
pub(crate) use self::listen::{Listener, Written, listening};
pub(crate) use self::read::{Entry, Wanted, last};
use self::{file::LogFile, layer::Keep};
use crate::storage::DataDirectory;

/// What is written to the disk.
const KEPT: LevelFilter = LevelFilter::INFO;

/// What stands where a secret stood.
const REMOVED: &str = "•••";

/// The shortest secret that is looked for. A shorter one is in every other word.
const SHORTEST_SECRET: usize = 4;

/// There is one log in a process, as there is one subscriber.
static KEEPER: Mutex<Keeper> = Mutex::new(Keeper { file: None, secrets: Vec::new(), plugins: Vec::new() });

/// Whether there is a file to write to.
static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// What the log on the disk knows.
struct Keeper {
    file: Option<LogFile>,
    // The longest first, for one may be a part of another.
    secrets: Vec<String>,
    // The crates of plugins, and their ids.
    plugins: Vec<(String, &'static str)>,
}

/// Sends the log to standard error, warnings and more as it is wanted, and makes the log on the disk possible.
pub(crate) fn install(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    let screen = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let screen = screen.with_target(false).without_time().with_filter(level);
    // A second agent in one process keeps the first one's log.
    let _ = tracing_subscriber::registry().with(screen).with(Keep.with_filter(KEPT)).try_init();
}

/// Keeps the log in a data directory from now on. The first entry makes the file.
pub(crate) fn keep_in(directory: &DataDirectory, registry: &Registry) {
    let mut keeper = keeper();
    keeper.file = Some(LogFile::new(directory.logs()));
    let plugins = registry.plugins().iter().map(|entry| (entry.decl.package.replace('-', "_"), entry.decl.id));
    keeper.plugins = plugins.collect();
    IS_KEPT.store(true, Ordering::Relaxed);
}

/// Takes these texts out of whatever is written from now on, with those of before: what was a secret stays one when the settings have changed.
pub(crate) fn hide(secrets: Vec<String>) {
    secrets.iter().for_each(|secret| hide_too(secret));
}

/// Returns the texts that are taken out, whatever they came from.
pub(crate) fn hidden() -> Vec<Secret<String>> {
    keeper().secrets.iter().map(|secret| Secret::new(secret.clone())).collect()
}

/// Takes one more text out of whatever is written from now on.
pub(crate) fn hide_too(secret: &str) {
    let mut keeper = keeper();
    if secret.chars().count() >= SHORTEST_SECRET && !keeper.secrets.iter().any(|known| known == secret) {
        // The longest first.
        let at = keeper.secrets.partition_point(|known| known.len() >= secret.len());
        keeper.secrets.insert(at, secret.to_owned());
    }
}

fn keeper() -> std::sync::MutexGuard<'static, Keeper> {
    KEEPER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    /// Takes the secrets out of a text.
    fn clean(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| if text.contains(secret) { text.replace(secret, REMOVED) } else { text })
    }

    /// Returns the plugin that an entry from a module is of.
    fn plugin_of(&self, module: &str) -> Option<&'static str> {
        let name = module.split("::").next().unwrap_or_default();
        self.plugins.iter().find(|(package, _)| package == name).map(|(_, id)| *id)
    }
}
