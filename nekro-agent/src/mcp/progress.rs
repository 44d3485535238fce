//! Telling a client how far a call has come, if it asked for that with the call.

use nekro_core::{ProgressReport, kernel::Kernel};
use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};

use crate::progress;

/// Makes a call of a tool, and tells its client how far it has come. What was told is on its way when the answer is.
pub(super) async fn told<T>(
    kernel: &Kernel,
    tool: &str,
    context: &RequestContext<RoleServer>,
    call: impl Future<Output = T>,
) -> T {
    let Some(token) = context.meta.get_progress_token() else { return call.await };
    // The protocol wants it to grow each time.
    let mut last = None;
    let tell = |report: ProgressReport| {
        let grows = last.is_none_or(|last| report.done() > last);
        last = last.filter(|_| !grows).or(Some(report.done()));
        let mut told = ProgressNotificationParam::new(token.clone(), report.done());
        told.total = report.total();
        told.message = Some(report.text()).filter(|text| !text.is_empty()).map(str::to_owned);
        async move {
            // Nor after the answer, which may be a question that the call goes on after.
            if grows && !context.ct.is_cancelled() {
                // A client that has gone needs to know nothing.
                let _ = context.peer.notify_progress(told).await;
            }
        }
    };
    progress::of_tool(kernel, tool, call, tell).await
}
