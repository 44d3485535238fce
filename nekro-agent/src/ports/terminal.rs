//! The terminal as a channel: messages go to it, approvals are asked on it, and events are printed to it.

use std::{
    collections::HashSet,
    io::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nekro_core::{
    BoxFuture, Delivery, Error, Message, MessagesPort, PluginId, Result, SessionId,
    kernel::{ApprovalPort, ApprovalRequest, Observed, ObserverPort},
};
use serde_json::json;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::cli::{SESSION, plain};

/// Messages on their way to the terminal: they are printed between two inputs, or above the one that is being typed, never into it.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Vec<(PluginId, Message)>>,
    count: AtomicU64,
    // The conversation that is in front of the person; none if all that is said is to be seen.
    session: Mutex<Option<SessionId>>,
    question: Notify,
    news: Notify,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            count: AtomicU64::new(0),
            session: Mutex::new(Some(SESSION.into())),
            question: Notify::new(),
            news: Notify::new(),
        }
    }
}

impl Outbox {
    /// Says which conversation is in front of the person: messages to others do not reach anybody here.
    pub(crate) fn show(&self, session: &SessionId) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
    }

    /// Says that whoever is in front looks at everything, wherever it is said.
    pub(crate) fn show_all(&self) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until a question is among what waits.
    pub(crate) async fn question(&self) {
        self.question.notified().await;
    }

    /// Waits until something was sent since it was last waited for.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes out what waits.
    pub(crate) fn take(&self) -> Vec<(PluginId, Message)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl MessagesPort for Outbox {
    fn reaches(&self, to: &SessionId) -> Result<()> {
        if self.session.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_none_or(|shown| shown == to) {
            return Ok(());
        }
        Err(Error::new(format!("the conversation `{to}` is not open here, and nobody would see the message"))
            .with_code("unreachable")
            .with_hint("a message reaches the conversations that this program serves just now"))
    }

    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        if let Err(refused) = self.reaches(to) {
            return Box::pin(std::future::ready(Err(refused)));
        }
        let is_question = message.is_question;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((from.clone(), message));
        self.news.notify_one();
        if is_question {
            self.question.notify_one();
        }
        let id = format!("message-{}", self.count.fetch_add(1, Ordering::Relaxed) + 1);
        Box::pin(std::future::ready(Ok(Delivery::new(id))))
    }
}

/// The person at the terminal, who is asked by whoever reads the terminal's input at the moment.
#[derive(Debug)]
pub(crate) struct Person {
    questions: mpsc::Sender<Question>,
    // Tools that may be called without asking again, until the program ends.
    always: Mutex<HashSet<String>>,
}

/// A question to the person at the terminal.
#[derive(Debug)]
pub(crate) struct Question {
    /// What to print.
    pub(crate) text: String,
    answer: oneshot::Sender<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Always,
}

impl Question {
    /// Gives the answer that the person typed. Whatever is not clearly yes is no. Returns whether anybody still waited for it.
    pub(crate) fn answer(self, typed: &str) -> bool {
        let answer = match typed.trim().to_lowercase().as_str() {
            "y" | "yes" => Answer::Yes,
            "a" | "always" => Answer::Always,
            _ => Answer::No,
        };
        // The call may have been given up meanwhile.
        self.answer.send(answer).is_ok()
    }
}

impl Person {
    /// Makes the port, and the end at which the questions come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(1);
        (Self { questions, always: Mutex::default() }, asked)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.always.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ApprovalPort for Person {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        if self.lock().contains(request.tool) {
            return Box::pin(std::future::ready(true));
        }
        let text = plain(&format!(
            "{} wants to run with {}\n{}\nAllow it? [y]es, [n]o, [a]lways until the end: ",
            request.tool, request.arguments, request.reason
        ))
        .into_owned();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            if self.questions.send(Question { text, answer }).await.is_err() {
                return false;
            }
            let answer = answered.await.unwrap_or(Answer::No);
            if answer == Answer::Always {
                self.lock().insert(request.tool.to_owned());
            }
            answer != Answer::No
        })
    }
}

/// Asks the person on a terminal where nothing else reads the input.
pub(crate) async fn answer_questions(mut questions: mpsc::Receiver<Question>) {
    while let Some(question) = questions.recv().await {
        let typed = tokio::task::spawn_blocking(move || {
            let mut screen = std::io::stderr();
            let _ = write!(screen, "{}", question.text).and_then(|()| screen.flush());
            let mut line = String::new();
            // An input that has ended, or cannot be read, says no.
            let _ = std::io::stdin().read_line(&mut line);
            question.answer(&line);
        });
        if typed.await.is_err() {
            return;
        }
    }
}

/// Prints every fact as a line of JSON.
#[derive(Debug)]
pub(crate) struct EventStream;

impl ObserverPort for EventStream {
    fn observe(&self, fact: Observed<'_>) {
        let line = json!({ "event": fact.name(), "data": fact.to_json() });
        // Nobody may be reading any more; that ends the program elsewhere.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
