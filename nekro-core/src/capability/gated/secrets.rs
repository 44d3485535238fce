//! Secrets, behind a gate.

use super::Gated;
use crate::{call::BoxFuture, capability::SecretsPort, error::Result, ids::PluginId, secret::Secret};

impl SecretsPort for Gated<dyn SecretsPort> {
    fn get(&self, plugin: &PluginId, name: &str) -> BoxFuture<'_, Result<Option<Secret<String>>>> {
        Box::pin(self.gate.pass(self.port.get(plugin, name)))
    }

    fn way(&self, plugin: &PluginId, name: &str) -> String {
        self.port.way(plugin, name)
    }
}
