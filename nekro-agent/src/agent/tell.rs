//! What tasks and schedules tell the agent and the people before it.

use nekro_core::{BoxFuture, PluginId, Result, SessionId, TaskId};

use super::{
    Machine,
    inbound::{Company, From, Inbound},
    surface::TaskProgress,
};
use crate::tasks::Audience;

impl Audience for Machine {
    fn tell<'a>(&'a self, session: &'a SessionId, plugin: &'a PluginId, text: String, answer: bool) -> BoxFuture<'a, Result<()>> {
        let from = From::System { plugin: Some(plugin.clone()), answer };
        let inbound = Inbound { session: session.clone(), company: Company::Private, from, text, files: Vec::new() };
        Box::pin(async move { self.receive(inbound).await.map(drop) })
    }

    fn progress(&self, session: &SessionId, task: &TaskId, name: &str, percent: u8, text: &str) {
        self.0.surface.task(session, TaskProgress { task, name, percent, text });
    }
}
