//! Ports behind a gate: each use of one is let through or refused by what the policy says of the capability.

use std::sync::Arc;

use super::{
    Answer, CapabilityDecl, Delivery, Expected, FileEntry, FilePlace, FilesPort, HttpAnswer, HttpPort, HttpRequest, Message,
    MessagesPort, MigrationStep, NewValue, Page, PastMessage, ProcessOutput, ProcessPort, ProcessRequest, Pushed, SandboxPath,
    Scope, SecretsPort, SessionInfo, SessionsPort, StorePort, Stored, Trigger, WriteHow,
};
use crate::{
    call::{BoxFuture, Call},
    error::Result,
    ids::{PluginId, SessionId, UserId},
    kernel::Gate,
    plugin::PluginDecl,
    secret::Secret,
};

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

impl HttpPort for Gated<dyn HttpPort> {
    fn send(&self, plugin: &'static PluginDecl, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer>> {
        Box::pin(self.gate.pass(async move { self.port.send(plugin, request).await }))
    }
}

impl ProcessPort for Gated<dyn ProcessPort> {
    fn run(&self, plugin: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>> {
        Box::pin(self.gate.pass(async move { self.port.run(plugin, request).await }))
    }
}

impl FilesPort for Gated<dyn FilesPort> {
    fn read(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Vec<u8>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.read(&place, &path).await }))
    }

    fn write(&self, place: &FilePlace, path: &SandboxPath, bytes: Vec<u8>, how: WriteHow) -> BoxFuture<'_, Result<FileEntry>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.write(&place, &path, bytes, how).await }))
    }

    fn remove(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<bool>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.remove(&place, &path).await }))
    }

    fn list(&self, place: &FilePlace, path: Option<&SandboxPath>) -> BoxFuture<'_, Result<Vec<FileEntry>>> {
        let (place, path) = (place.clone(), path.cloned());
        Box::pin(self.gate.pass(async move { self.port.list(&place, path.as_ref()).await }))
    }

    fn metadata(&self, place: &FilePlace, path: &SandboxPath) -> BoxFuture<'_, Result<Option<FileEntry>>> {
        let (place, path) = (place.clone(), path.clone());
        Box::pin(self.gate.pass(async move { self.port.metadata(&place, &path).await }))
    }

    fn media_type(&self, beginning: &[u8]) -> Option<&'static str> {
        self.port.media_type(beginning)
    }
}

impl MessagesPort for Gated<dyn MessagesPort> {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        let (to, from) = (to.clone(), from.clone());
        Box::pin(self.gate.pass(async move { self.port.send(&to, &from, message).await }))
    }

    fn reaches(&self, to: &SessionId) -> Result<()> {
        self.port.reaches(to)
    }

    fn push(&self, to: &SessionId, from: &PluginId, text: String, trigger: Trigger) -> BoxFuture<'_, Result<Pushed>> {
        let (to, from) = (to.clone(), from.clone());
        Box::pin(self.gate.pass(async move { self.port.push(&to, &from, text, trigger).await }))
    }

    fn ask(&self, to: &SessionId, from: &PluginId, user: Option<&UserId>, question: Message) -> BoxFuture<'_, Result<Answer>> {
        let (to, from, user) = (to.clone(), from.clone(), user.cloned());
        Box::pin(self.gate.pass(async move { self.port.ask(&to, &from, user.as_ref(), question).await }))
    }
}

impl SessionsPort for Gated<dyn SessionsPort> {
    fn messages(&self, session: &SessionId, before: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Vec<PastMessage>>> {
        Box::pin(self.gate.pass(self.port.messages(session, before, limit)))
    }

    fn list(&self, after: Option<&SessionId>, limit: usize) -> BoxFuture<'_, Result<(Vec<SessionInfo>, bool)>> {
        Box::pin(self.gate.pass(self.port.list(after, limit)))
    }
}

impl SecretsPort for Gated<dyn SecretsPort> {
    fn get(&self, plugin: &PluginId, name: &str) -> BoxFuture<'_, Result<Option<Secret<String>>>> {
        Box::pin(self.gate.pass(self.port.get(plugin, name)))
    }

    fn way(&self, plugin: &PluginId, name: &str) -> String {
        self.port.way(plugin, name)
    }
}
