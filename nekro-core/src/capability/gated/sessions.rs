//! Conversations, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{PastMessage, SessionInfo, SessionsPort},
    error::Result,
    ids::SessionId,
};

impl SessionsPort for Gated<dyn SessionsPort> {
    fn messages(&self, session: &SessionId, before: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Vec<PastMessage>>> {
        Box::pin(self.gate.pass(self.port.messages(session, before, limit)))
    }

    fn list(&self, after: Option<&SessionId>, limit: usize) -> BoxFuture<'_, Result<(Vec<SessionInfo>, bool)>> {
        Box::pin(self.gate.pass(self.port.list(after, limit)))
    }
}
