//! Asking a person, and waiting for the answer.

use std::{
    future::{Future, IntoFuture},
    time::Duration,
};

use super::{Answer, AnswerForm, AnswerKind, Choice, Message, Messages};
use crate::{
    call::BoxFuture,
    error::{Error, Result},
    ids::SessionId,
};

/// How often a question is asked whose answer is none.
const MOST_TIMES: usize = 3;

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
        let question = Message { is_question: true, form: Some(question.form.unwrap_or_default()), ..question };
        Self { messages, question, within: messages.answer_deadline, limit: "`limits.answer_deadline`" }
    }

    /// Waits for no longer than this. It is never longer than `limits.answer_deadline` in the settings.
    pub fn within(mut self, time: Duration) -> Self {
        if time < self.within {
            (self.within, self.limit) = (time, "the question's own");
        }
        self
    }

    /// Wants yes or no: the answer's text is `yes` or `no`.
    pub fn yes_or_no(self) -> Self {
        self.wanting(AnswerKind::YesOrNo)
    }

    /// Wants one of several things, each a value, or a value and the title that people are shown: the answer's text is the value.
    pub fn one_of<C: Into<Choice>>(self, choices: impl IntoIterator<Item = C>) -> Self {
        self.wanting(AnswerKind::OneOf(choices.into_iter().map(Into::into).collect()))
    }

    /// Says what it means when somebody agrees without saying anything; of several things, the value of one of them.
    pub fn or(mut self, default: impl Into<String>) -> Self {
        self.question.form.get_or_insert_default().default = Some(default.into());
        self
    }

    fn wanting(mut self, kind: AnswerKind) -> Self {
        self.question.form.get_or_insert_default().kind = kind;
        self
    }

    async fn ask(self) -> Result<Answer> {
        let Self { messages, question, within, limit } = self;
        let session = messages.session()?;
        let asked = messages.ask_until_answered(session, question);
        tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
            Err(Error::new(format!("nobody answered within {within:?}"))
                .with_code("no_answer")
                .with_hint(format!("the limit is {limit}")))
        })
    }
}

impl Messages {
    /// Asks, and asks again if what comes is no answer.
    async fn ask_until_answered(&self, session: &SessionId, mut question: Message) -> Result<Answer> {
        let form: AnswerForm = question.form.clone().unwrap_or_default();
        let (from, asked) = (self.plugin.id.into(), question.text.clone());
        for _ in 1..MOST_TIMES {
            let answer = self.port.ask(session, &from, self.user.as_ref(), question.clone()).await?;
            match form.read(&answer.text) {
                Ok(text) => return Ok(Answer { text, ..answer }),
                Err(mistake) => {
                    let hint = mistake.hint().map_or_else(|| ".".to_owned(), |hint| format!(": {hint}"));
                    question.text = format!("That is none of the answers{hint} {asked}");
                }
            }
        }
        let answer = self.port.ask(session, &from, self.user.as_ref(), question).await?;
        Ok(Answer { text: form.read(&answer.text)?, ..answer })
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
