//! Answers of a language model that a test has written down.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::{
    call::BoxFuture,
    capability::{ModelAnswer, ModelAsker, ModelPort, ModelRequest},
    error::{Error, Result},
};

/// A language model that says what a test has written down, in order. It keeps what it was asked.
#[derive(Default)]
pub struct FakeModel {
    answers: Mutex<VecDeque<Result<ModelAnswer, (String, String)>>>,
    asked: Mutex<Vec<ModelRequest>>,
}

impl FakeModel {
    /// Writes the next answer down. It costs a token for each word that is read or written.
    pub fn says(&self, text: impl Into<String>) {
        self.lock().push_back(Ok(ModelAnswer::new("fake", text)));
    }

    /// Writes down that the next question is not answered.
    pub fn fails(&self, error: &Error) {
        self.lock().push_back(Err((error.code().to_owned(), error.message().to_owned())));
    }

    /// Returns what was asked, in order.
    pub fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Result<ModelAnswer, (String, String)>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &ModelRequest) -> Result<ModelAnswer> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let next = self
            .lock()
            .pop_front()
            .ok_or_else(|| Error::new("the test has no further answer of the model").with_code("unanswered"))?;
        let mut answer = next.map_err(|(code, message)| Error::new(message).with_code(code))?;
        let words = |text: &str| text.split_whitespace().count() as u64;
        let said = request.messages.iter().map(|message| words(&message.text)).sum::<u64>();
        answer.input_tokens = said + request.instructions.as_deref().map_or(0, words);
        answer.output_tokens = words(&answer.text);
        Ok(answer)
    }
}

impl ModelPort for FakeModel {
    fn ask<'a>(&'a self, _: &'a ModelAsker, request: &'a ModelRequest) -> BoxFuture<'a, Result<ModelAnswer>> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}

impl fmt::Debug for FakeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeModel").field(&self.asked()).finish()
    }
}
