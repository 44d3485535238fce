//! Programs, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{ProcessOutput, ProcessPort, ProcessRequest},
    error::Result,
    plugin::PluginDecl,
};

impl ProcessPort for Gated<dyn ProcessPort> {
    fn run(&self, plugin: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>> {
        Box::pin(self.gate.pass(async move { self.port.run(plugin, request).await }))
    }
}
