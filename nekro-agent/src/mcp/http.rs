//! MCP over streamable HTTP, for `nekro serve`: who is asking, the server has found out before.

use std::sync::Arc;

use nekro_core::{Caller, kernel::Kernel};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::sync::watch;

use super::{
    Changes, Limits, Tasks,
    server::{Handler, Who},
};
use crate::tasks::Desk;

/// Who is asking: the server puts it into a request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Asking(pub(crate) Caller);

/// Returns what answers at `/mcp`, until the server ends.
pub(crate) fn service(
    kernel: Kernel,
    changes: Arc<Changes>,
    limits: &Limits,
    desk: Desk,
    mut ending: watch::Receiver<bool>,
) -> StreamableHttpService<Handler, LocalSessionManager> {
    let tasks = Tasks::new(desk, limits.task_poll_interval);
    let handler = Handler::new(kernel, Who::OfRequest, changes, None, Some(tasks));
    // The names and pages that may come in have been looked at already, for all paths alike.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(limits.message_bytes);
    let token = config.cancellation_token.clone();
    drop(tokio::spawn(async move {
        drop(ending.wait_for(|ending| *ending).await);
        token.cancel();
    }));
    let limits = Arc::new(limits.clone());
    StreamableHttpService::new(
        move || Ok(handler.for_client(Arc::clone(&limits))),
        Arc::new(LocalSessionManager::default()),
        config,
    )
}
