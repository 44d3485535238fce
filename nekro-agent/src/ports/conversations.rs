//! What plugins may read of conversations: the history, without what was hidden and what models thought.

use std::sync::Arc;

use nekro_core::{BoxFuture, By, PastMessage, Result, SessionId, SessionInfo, SessionsPort};

use crate::history::{Body, File, HistoryPort, Message, Session};

/// The history, as plugins see it.
pub(crate) struct Conversations(pub(crate) Arc<dyn HistoryPort>);

impl SessionsPort for Conversations {
    fn messages(&self, session: &SessionId, before: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Vec<PastMessage>>> {
        let session = session.clone();
        Box::pin(async move {
            let found = self.0.messages(&session, before, limit, false).await?;
            Ok(found.into_iter().map(past).collect())
        })
    }

    fn list(&self, after: Option<&SessionId>, limit: usize) -> BoxFuture<'_, Result<(Vec<SessionInfo>, bool)>> {
        let after = after.cloned();
        Box::pin(async move {
            let found = self.0.sessions(after.as_ref(), limit).await?;
            let info = |Session { id, began, used, messages, .. }| SessionInfo::new(id, began, used, messages);
            Ok((found.items.into_iter().map(info).collect(), found.more))
        })
    }
}

fn past(message: Message) -> PastMessage {
    let names = |files: Vec<File>| files.into_iter().map(|file| file.name).collect();
    let (by, text, files) = match message.body {
        Body::Person { user, text, files, .. } => (By::Person { user }, text, names(files)),
        Body::Notice { plugin, text, .. } => (By::System { plugin }, text, Vec::new()),
        Body::Answer { plugin: Some(plugin), text, .. } => (By::Plugin { plugin }, text, Vec::new()),
        Body::Answer { plugin: None, text, .. } => (By::Agent, text, Vec::new()),
        Body::Result { tool, text, files, .. } => (By::Tool { tool }, text, names(files)),
        Body::Summary { text, .. } => (By::System { plugin: None }, text, Vec::new()),
    };
    let mut past = PastMessage::new(message.id, message.number, message.at, by, text);
    past.files = files;
    past
}
