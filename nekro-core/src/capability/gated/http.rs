//! Requests, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{HttpAnswer, HttpPort, HttpRequest},
    error::Result,
    plugin::PluginDecl,
};

impl HttpPort for Gated<dyn HttpPort> {
    fn send(&self, plugin: &'static PluginDecl, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer>> {
        Box::pin(self.gate.pass(async move { self.port.send(plugin, request).await }))
    }
}
