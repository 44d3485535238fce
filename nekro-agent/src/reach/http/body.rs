//! The body of an answer: limited in time and size, and counted.

use std::time::Duration;

use nekro_core::{BoxFuture, Error, HttpBody, Result};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{audit::Audit, unreachable};

/// How long to wait for what is still to come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// Until then, for everything.
    Until(Instant),
    /// So long, for each piece.
    Each(Duration),
}

impl Patience {
    pub(super) fn end(self) -> Instant {
        match self {
            Self::Until(end) => end,
            Self::Each(limit) => Instant::now() + limit,
        }
    }
}

/// How many bytes an answer may have, and who says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct MostBytes {
    pub(super) bytes: u64,
    pub(super) is_plugins_own: bool,
}

impl MostBytes {
    pub(super) fn exceeded(self, host: &str) -> Error {
        let Self { bytes, is_plugins_own } = self;
        let error = Error::new(format!("the answer of {host} has more than {bytes} bytes")).with_code("too_large");
        if is_plugins_own { error } else { error.with_hint("the limit is `http.response_bytes`") }
    }
}

/// A body that is on its way.
pub(super) struct Incoming {
    pub(super) response: reqwest::Response,
    pub(super) patience: Patience,
    pub(super) most: MostBytes,
    pub(super) audit: Audit,
    // The plugin may have one request more when this is dropped.
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Incoming {
    async fn piece(&mut self) -> Result<Option<Vec<u8>>> {
        let host = &self.audit.host;
        let piece = tokio::time::timeout_at(self.patience.end(), self.response.chunk())
            .await
            .map_err(|_| super::too_slow(host))?
            .map_err(|problem| unreachable(host, problem))?;
        let Some(piece) = piece else { return Ok(None) };
        self.audit.bytes = self.audit.bytes.saturating_add(piece.len() as u64);
        if self.audit.bytes > self.most.bytes { Err(self.most.exceeded(host)) } else { Ok(Some(piece.into())) }
    }
}

impl HttpBody for Incoming {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            if self.audit.problem.is_some() {
                return Ok(None);
            }
            let piece = self.piece().await;
            if let Err(problem) = &piece {
                self.audit.problem = Some(problem.code().to_owned());
            }
            piece
        })
    }
}
