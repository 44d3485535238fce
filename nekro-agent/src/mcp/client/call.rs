//! One call of a tool of a server: sent, followed while the server says how far it has come, and taken back if nobody waits any more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nekro_core::{Progress, ProgressReport};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequest, CallToolRequestParams, CancelledNotificationParam, ClientRequest, ProgressNotificationParam,
        ProgressToken, RequestId, ServerResult,
    },
    service::{Peer, PeerRequestOptions, ServiceError},
};

/// The calls of a server that somebody follows, by the token of each.
#[derive(Debug, Default)]
pub(super) struct Followed(Mutex<HashMap<ProgressToken, Following>>);

#[derive(Debug)]
struct Following {
    progress: Progress,
    // What was told last. It only grows, in whatever order it comes.
    done: Option<f64>,
}

impl Followed {
    /// Takes up what a server says of a call. Of one that has ended, or was never made, it is passed over.
    pub(super) fn hear(&self, told: ProgressNotificationParam) {
        let report = ProgressReport::new(told.progress, told.total, told.message.unwrap_or_default());
        let mut followed = self.lock();
        if let Some(following) = followed.get_mut(&told.progress_token)
            && following.done.is_none_or(|done| report.done() > done)
        {
            following.done = Some(report.done());
            following.progress.report(report);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProgressToken, Following>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// What the server says, or that it was lost.
    pub(super) async fn call(
        self: &Arc<Self>,
        peer: &Peer<RoleClient>,
        request: CallToolRequestParams,
        progress: &Progress,
    ) -> Result<ServerResult, ServiceError> {
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(request));
        let handle = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
        let token = handle.progress_token.clone();
        let mut under_way =
            UnderWay { peer: peer.clone(), id: Some(handle.id.clone()), followed: Arc::clone(self), token: token.clone() };
        if progress.is_followed() {
            self.lock().insert(token, Following { progress: progress.clone(), done: None });
        }
        let answer = handle.await_response().await;
        under_way.id = None;
        answer
    }
}

/// A call that has no answer yet. Dropped before that, it is taken back.
struct UnderWay {
    peer: Peer<RoleClient>,
    id: Option<RequestId>,
    followed: Arc<Followed>,
    token: ProgressToken,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.followed.lock().remove(&self.token);
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let peer = self.peer.clone();
            drop(runtime.spawn(async move {
                let reason = Some("the call was given up".to_owned());
                // A server that has gone needs to know nothing.
                let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
            }));
        }
    }
}
