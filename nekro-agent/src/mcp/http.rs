//! MCP over streamable HTTP, for `nekro serve`: who is asking, the server has found out before.

use std::sync::Arc;

use nekro_core::{Caller, kernel::Kernel};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::sync::watch;

use super::{
    Changes, Limits,
    server::{Handler, Who},
};

/// Who is asking: the server puts it into a request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Asking(pub(crate) Caller);

/// Returns what answers at `/mcp`, until the server ends.
pub(crate) fn service(
    kernel: Kernel,
    changes: Arc<Changes>,
    limits: &Limits,
    mut ending: watch::Receiver<bool>,
) -> StreamableHttpService<Handler, LocalSessionManager> {
    let handler = Handler::new(kernel, Who::OfRequest, changes, None);
    // The names and pages that may come in have been looked at already, for all paths alike.
    let log_per_second = limits.log_per_second;
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(limits.message_bytes);
    let token = config.cancellation_token.clone();
    drop(tokio::spawn(async move {
        drop(ending.wait_for(|ending| *ending).await);
        token.cancel();
    }));
    StreamableHttpService::new(move || Ok(handler.for_client(log_per_second)), Arc::new(LocalSessionManager::default()), config)
}
