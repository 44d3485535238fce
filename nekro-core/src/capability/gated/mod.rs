//! Ports behind a gate: each use of one is let through or refused by what the policy says of the capability. One file to a port.

mod files;
mod http;
mod messages;
mod model;
mod process;
mod schedules;
mod secrets;
mod sessions;
mod store;
mod tasks;
mod vectors;

use std::sync::Arc;

use super::CapabilityDecl;
use crate::{call::Call, error::Result, kernel::Gate};

/// A port behind a gate.
pub(super) struct Gated<P: ?Sized> {
    port: Arc<P>,
    gate: Arc<Gate>,
}

impl Call<'_> {
    /// Returns the implementation of a port, behind the plugin's gate if it has one. `wrap` makes a port of a port behind a gate.
    pub(super) fn port<P: ?Sized + Send + Sync + 'static>(
        &self,
        capability: &'static CapabilityDecl,
        wrap: fn(Gated<P>) -> Arc<P>,
    ) -> Result<Arc<P>> {
        let port = Arc::clone(self.kernel.ports().get::<P>()?);
        Ok(match self.kernel.gate(self.plugin.decl().id, capability.name) {
            Some(gate) => wrap(Gated { port, gate: Arc::clone(gate) }),
            None => port,
        })
    }
}
