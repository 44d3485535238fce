//! A fake of the port that progress is told by.

use std::sync::{Arc, Mutex, PoisonError};

use crate::capability::{ProgressFollower, ProgressPort, ProgressReport};

/// Follows every call, and keeps each report, however fast they come.
#[derive(Debug, Default)]
pub struct FakeProgress(Arc<Reports>);

/// What was reported.
#[derive(Debug, Default)]
struct Reports(Mutex<Vec<ProgressReport>>);

impl FakeProgress {
    /// Returns what was reported, in order.
    pub fn reports(&self) -> Vec<ProgressReport> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many handles there are.
    pub(super) fn held(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl ProgressPort for FakeProgress {
    fn follower(&self) -> Option<Arc<dyn ProgressFollower>> {
        Some(Arc::clone(&self.0) as _)
    }
}

impl ProgressFollower for Reports {
    fn report(&self, report: ProgressReport) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }
}
