//! The terminal as a channel: messages go to it, approvals are asked on it, and events are printed to it.

use std::{
    collections::HashSet,
    io::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anstyle::Style;
use nekro_core::{
    BoxFuture, Delivery, Message, MessagesPort, PluginId, Result, SessionId,
    kernel::{ApprovalPort, ApprovalRequest, Observed, ObserverPort},
};
use serde_json::json;

/// Messages on their way to the terminal: they are printed between two inputs, never into one.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Vec<(PluginId, Message)>>,
    count: AtomicU64,
}

impl Outbox {
    /// Takes out what waits.
    pub(crate) fn take(&self) -> Vec<(PluginId, Message)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl MessagesPort for Outbox {
    fn send(&self, _: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((from.clone(), message));
        let id = format!("message-{}", self.count.fetch_add(1, Ordering::Relaxed) + 1);
        Box::pin(std::future::ready(Ok(Delivery::new(id))))
    }
}

/// The person at the terminal.
#[derive(Debug, Default)]
pub(crate) struct Person {
    // Tools that may be called without asking again, until the program ends.
    always: Mutex<HashSet<String>>,
}

impl ApprovalPort for Person {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        let allowed = |tools: &HashSet<String>| tools.contains(request.tool);
        if allowed(&self.always.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Box::pin(std::future::ready(true));
        }
        let bold = Style::new().bold();
        let question = format!(
            "{bold}{}{bold:#} wants to run with {}\n{}\nAllow it? [y]es, [n]o, [a]lways until the end: ",
            request.tool, request.arguments, request.reason
        );
        let tool = request.tool.to_owned();
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(move || {
                let mut screen = anstream::stderr();
                let _ = write!(screen, "{question}").and_then(|()| screen.flush());
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).map(|_| line)
            });
            let answer = answer.await.ok().and_then(std::io::Result::ok).unwrap_or_default();
            match answer.trim().to_lowercase().as_str() {
                "y" | "yes" => true,
                "a" | "always" => {
                    self.always.lock().unwrap_or_else(PoisonError::into_inner).insert(tool);
                    true
                }
                _ => false,
            }
        })
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
