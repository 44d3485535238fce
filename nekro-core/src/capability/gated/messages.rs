//! Messages, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{Answer, Delivery, Message, MessagesPort, Pushed, Trigger},
    error::Result,
    ids::{PluginId, SessionId, UserId},
};

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
