//! Questions of plugins that wait for an answer: the next message of a person is it, and begins no turn.
//!
//! They are in memory alone: a question that was open when the process ended has ended with it, and the next message is one like any other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nekro_core::{Answer, Error, PluginId, Result, SessionId, UserId};
use tokio::sync::oneshot;

/// The questions that wait.
#[derive(Default)]
pub(super) struct Questions(Mutex<Vec<Open>>);

/// A question that waits.
struct Open {
    number: u64,
    session: SessionId,
    // Anybody's answer will do if nobody is named.
    user: Option<UserId>,
    plugin: PluginId,
    answer: oneshot::Sender<Result<Answer>>,
}

/// The end at which the answer comes. Whoever drops it takes the question back.
pub(super) struct Asked {
    questions: Arc<Questions>,
    number: u64,
    answer: oneshot::Receiver<Result<Answer>>,
}

impl Questions {
    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a question.
    ///
    /// # Errors
    ///
    /// `already_asked` if one is open whose answer could be meant as well.
    pub(super) fn open(self: &Arc<Self>, session: &SessionId, user: Option<&UserId>, plugin: &PluginId) -> Result<Asked> {
        let mut open = self.lock();
        let is_same =
            |other: &&Open| other.session == *session && (user.is_none() || other.user.is_none() || other.user.as_ref() == user);
        if let Some(other) = open.iter().find(is_same) {
            return Err(Error::new(format!("a question of the plugin `{}` waits for an answer already", other.plugin))
                .with_code("already_asked")
                .retryable());
        }
        let number = open.iter().map(|other| other.number).max().unwrap_or(0) + 1;
        let (answer, answered) = oneshot::channel();
        open.push(Open { number, session: session.clone(), user: user.cloned(), plugin: plugin.clone(), answer });
        Ok(Asked { questions: Arc::clone(self), number, answer: answered })
    }

    /// Tells whether a question waits in a session.
    pub(super) fn is_open(&self, session: &SessionId) -> bool {
        self.lock().iter().any(|one| one.session == *session)
    }

    /// Gives a message to the question that it answers. Returns whose that was; none if there is no such question.
    pub(super) fn answer(&self, session: &SessionId, answer: &Answer) -> Option<PluginId> {
        let mut open = self.lock();
        let is_meant = |one: &Open| one.session == *session && (one.user.is_none() || one.user == answer.user);
        let at = open.iter().position(is_meant)?;
        let Open { plugin, answer: waits, .. } = open.remove(at);
        // Whoever asked may have just stopped waiting; then it is a message like any other.
        waits.send(Ok(answer.clone())).is_ok().then_some(plugin)
    }

    /// Ends the questions of a session without an answer. Returns whether there were any.
    pub(super) fn stop(&self, session: &SessionId) -> bool {
        let mut open = self.lock();
        let count = open.len();
        for stopped in open.extract_if(.., |one| one.session == *session) {
            let error = Error::new("the question was taken back: somebody stopped what was under way").with_code("cancelled");
            let _ = stopped.answer.send(Err(error));
        }
        open.len() < count
    }

    /// Ends every question without an answer.
    pub(super) fn stop_all(&self) {
        let sessions: Vec<_> = self.lock().iter().map(|one| one.session.clone()).collect();
        for session in sessions {
            self.stop(&session);
        }
    }
}

impl Asked {
    /// Waits for the answer.
    pub(super) async fn answer(mut self) -> Result<Answer> {
        let ended = || Error::new("the question has ended: the agent is ending").with_code("cancelled");
        (&mut self.answer).await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.questions.lock().retain(|one| one.number != self.number);
    }
}
