//! What plugins say to people: kept like an answer, so that the model knows of it, and then sent.

use std::sync::{Arc, OnceLock, Weak};

use nekro_core::{BoxFuture, Delivery, Error, Message, MessagesPort, PluginId, Result, SessionId, event::facts::MessageSent};

use super::Inner;
use crate::history::{Body, HistoryPort, NewMessage};

/// Keeps what plugins say, and passes it on.
pub(crate) struct Speaker {
    history: Arc<dyn HistoryPort>,
    channel: Arc<dyn MessagesPort>,
    // Whom it is told; not kept alive by it.
    agent: OnceLock<Weak<Inner>>,
}

impl Speaker {
    /// Makes one that keeps messages in a history, and sends them to a channel.
    pub(crate) fn new(history: Arc<dyn HistoryPort>, channel: Arc<dyn MessagesPort>) -> Self {
        Self { history, channel, agent: OnceLock::new() }
    }

    /// Says whom it is told. The ports are made before the agent is.
    pub(super) fn serve(&self, agent: &Arc<Inner>) {
        // There is one agent to a speaker.
        let _ = self.agent.set(Arc::downgrade(agent));
    }

    async fn say(&self, to: &SessionId, from: &PluginId, message: Message) -> Result<Delivery> {
        let text = message.text.clone();
        let body = Body::Answer {
            plugin: Some(from.clone()),
            model: None,
            text: text.clone(),
            reasoning: String::new(),
            calls: Vec::new(),
        };
        let kept = self.history.append(to, vec![NewMessage { turn: None, hidden: false, body }]).await?;
        let kept = kept.into_iter().next().ok_or_else(|| Error::new("the message was not written"))?;
        if let Err(refused) = self.channel.send(to, from, message).await {
            // Nobody has heard it, and so it was not said.
            self.history.revise(to, kept.number, None, true).await?;
            return Err(refused);
        }
        if let Some(agent) = self.agent.get().and_then(Weak::upgrade) {
            let (session, message, plugin) = (to.clone(), kept.id.clone(), Some(from.clone()));
            agent.kernel.emit(MessageSent { session, message, text, plugin });
        }
        Ok(Delivery::new(kept.id))
    }
}

impl MessagesPort for Speaker {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        let (to, from) = (to.clone(), from.clone());
        Box::pin(async move { self.say(&to, &from, message).await })
    }
}
