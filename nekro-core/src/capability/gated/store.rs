//! Values, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{Expected, MigrationStep, NewValue, Page, Scope, StorePort, Stored},
    error::Result,
    ids::PluginId,
};

impl StorePort for Gated<dyn StorePort> {
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>> {
        Box::pin(self.gate.pass(self.port.get(scope, key)))
    }

    fn put(&self, scope: &Scope, key: &str, expected: Expected, new: Option<NewValue>) -> BoxFuture<'_, Result<bool>> {
        // What is not let through must not have been written.
        let (scope, key) = (scope.clone(), key.to_owned());
        Box::pin(self.gate.pass(async move { self.port.put(&scope, &key, expected, new).await }))
    }

    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>> {
        Box::pin(self.gate.pass(self.port.list(scope, prefix, after, limit)))
    }

    // The kernel's own use.
    fn migrate(&self, plugin: &PluginId, steps: &'static [MigrationStep]) -> BoxFuture<'_, Result<()>> {
        self.port.migrate(plugin, steps)
    }
}
