//! Asking a person, and waiting for the answer.

use std::{
    future::{Future, IntoFuture},
    time::Duration,
};

use super::{Answer, Message, Messages};
use crate::{
    call::BoxFuture,
    error::{Error, Result},
};

/// A question that is about to be asked: awaiting it sends it, and waits for the answer.
#[derive(Debug)]
#[must_use = "it is asked when it is awaited"]
pub struct Asking<'m> {
    messages: &'m Messages,
    question: Message,
    within: Duration,
    limit: &'static str,
}

impl<'m> Asking<'m> {
    pub(super) fn new(messages: &'m Messages, question: Message) -> Self {
        let question = Message { is_question: true, ..question };
        Self { messages, question, within: messages.answer_deadline, limit: "`limits.answer_deadline`" }
    }

    /// Waits for no longer than this. It is never longer than `limits.answer_deadline` in the settings.
    pub fn within(mut self, time: Duration) -> Self {
        if time < self.within {
            (self.within, self.limit) = (time, "the question's own");
        }
        self
    }

    async fn ask(self) -> Result<Answer> {
        let Self { messages, question, within, limit } = self;
        let session = messages.session()?;
        let asked = messages.port.ask(session, &messages.plugin.id.into(), messages.user.as_ref(), question);
        tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
            Err(Error::new(format!("nobody answered within {within:?}"))
                .with_code("no_answer")
                .with_hint(format!("the limit is {limit}")))
        })
    }
}

impl<'m> IntoFuture for Asking<'m> {
    type Output = Result<Answer>;
    type IntoFuture = BoxFuture<'m, Result<Answer>>;

    fn into_future(self) -> Self::IntoFuture {
        fn is_boxed<'m, F: Future<Output = Result<Answer>> + Send + 'm>(future: F) -> BoxFuture<'m, Result<Answer>> {
            Box::pin(future)
        }
        is_boxed(self.ask())
    }
}
