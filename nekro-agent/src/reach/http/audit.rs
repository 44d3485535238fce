//! One line for each request: who asked whom, and what came of it. Neither paths nor queries nor headers, for they hold secrets.

use nekro_core::{HttpMethod, PluginDecl};
use tokio::time::Instant;

/// The line of one request. It is written when the request is over, however it ends.
#[derive(Debug)]
pub(super) struct Audit {
    plugin: &'static str,
    method: HttpMethod,
    started: Instant,
    /// The host that was asked last.
    pub(super) host: String,
    /// What it answered; 0 if it did not.
    pub(super) status: u16,
    /// How many bytes the answer had, as far as it was read.
    pub(super) bytes: u64,
    /// How many redirects were followed.
    pub(super) redirects: u32,
    /// How often it was tried again.
    pub(super) retries: u32,
    /// What went wrong: the code of the error.
    pub(super) problem: Option<String>,
}

impl Audit {
    pub(super) fn begin(plugin: &'static PluginDecl, method: HttpMethod) -> Self {
        Self {
            plugin: plugin.id,
            method,
            started: Instant::now(),
            host: String::new(),
            status: 0,
            bytes: 0,
            redirects: 0,
            retries: 0,
            problem: None,
        }
    }

    pub(super) fn method(&self) -> HttpMethod {
        self.method
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let Self { plugin, method, host, status, bytes, redirects, retries, .. } = self;
        tracing::info!(
            target: "nekro::http",
            %plugin,
            %method,
            %host,
            status,
            bytes,
            milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            redirects,
            retries,
            problem = self.problem.as_deref(),
        );
    }
}
