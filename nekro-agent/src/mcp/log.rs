//! Telling a client what plugins write to the log while they answer it, as far as it asked for that.
//!
//! It asks by `logging/setLevel` up to the protocol of 2025-11-25, for all that follows, and from 2026-07-28 on by what comes with each request.
//! What others write, what the host notes, and what is written while nobody waits, no client is told.

#![expect(deprecated, reason = "the protocol will give its log up, and clients ask for it until then")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    RoleServer,
    model::{LoggingLevel, LoggingMessageNotificationParam, ProtocolVersion},
    service::RequestContext,
};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tracing::Level;

use crate::{
    beside::{Beside, Pace, beside},
    log::{Listener, Written, listening},
};

/// Under which name a client is told how much was left off.
const OURS: &str = "nekro";

/// What one client is told of the log.
#[derive(Debug)]
pub(super) struct Log {
    // What it asked for with a handshake; nothing, until it does.
    level: Mutex<Option<LoggingLevel>>,
    most: u32,
    pace: Arc<Mutex<Pace>>,
}

impl Log {
    /// Tells so many entries in a second at most.
    pub(super) fn new(most: u32) -> Self {
        Self { level: Mutex::default(), most, pace: Arc::new(Mutex::new(Pace::new(most))) }
    }

    /// Says from which level on the client wants to be told.
    pub(super) fn set(&self, level: LoggingLevel) {
        *lock(&self.level) = Some(level);
    }

    /// Answers a request, and tells its client what plugins write meanwhile. It is on its way when the answer is.
    pub(super) async fn told<T>(&self, context: &RequestContext<RoleServer>, answer: impl Future<Output = T>) -> T {
        let wanted = if is_without_handshake(context) { context.meta.log_level() } else { *lock(&self.level) };
        let Some(wanted) = wanted.filter(|_| self.most > 0) else { return answer.await };
        let heard = Heard { wanted, most: self.most, pace: Arc::clone(&self.pace), queue: Mutex::default(), news: Notify::new() };
        let heard = Arc::new(heard);
        let answer = listening(Arc::clone(&heard) as _, answer);
        // Boxed: an answer that nobody listens to does not carry the other's state.
        Box::pin(beside(answer, &Telling { heard, context })).await
    }
}

/// Tells whether a request is of the protocol that has no `logging/setLevel`.
pub(super) fn is_without_handshake(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// What was written during one answer, and is not told yet.
struct Heard {
    wanted: LoggingLevel,
    most: u32,
    pace: Arc<Mutex<Pace>>,
    queue: Mutex<Queue>,
    news: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<LoggingMessageNotificationParam>,
    left_off: u64,
}

impl Queue {
    /// Says how much was left off, if it was.
    fn confess(&mut self, wanted: LoggingLevel, most: u32) {
        if self.left_off > 0 {
            let left_off = std::mem::take(&mut self.left_off);
            let told = format!("{left_off} entries were left off: {most} in a second are told (`mcp.log_per_second`)");
            self.waiting.push_back(LoggingMessageNotificationParam::new(wanted, told.into()).with_logger(OURS));
        }
    }
}

impl Listener for Heard {
    fn wants(&self, level: Level) -> bool {
        severity(level) as u8 >= self.wanted as u8
    }

    fn hear(&self, entry: Written) {
        let passes = lock(&self.pace).count().is_ok();
        let mut queue = lock(&self.queue);
        // A client that is slow to read is not waited for.
        if !passes || queue.waiting.len() >= self.most as usize {
            queue.left_off += 1;
            return;
        }
        queue.confess(self.wanted, self.most);
        queue.waiting.push_back(message(entry));
        self.news.notify_one();
    }
}

struct Telling<'a> {
    heard: Arc<Heard>,
    context: &'a RequestContext<RoleServer>,
}

impl Beside for Telling<'_> {
    async fn due(&self) {
        self.heard.news.notified().await;
    }

    async fn act(&self) {
        loop {
            let next = lock(&self.heard.queue).waiting.pop_front();
            let Some(message) = next else { return };
            // Of a call that goes on after its request ended with a question, nobody is told.
            if self.context.ct.is_cancelled() {
                continue;
            }
            // A client that has gone needs to know nothing.
            let _ = self.context.peer.notify_logging_message(message).await;
        }
    }

    async fn end(&self) {
        lock(&self.heard.queue).confess(self.heard.wanted, self.heard.most);
        self.act().await;
    }
}

/// Makes an entry a message: its text, and beside it what else it says.
fn message(entry: Written) -> LoggingMessageNotificationParam {
    let Written { plugin, level, message, fields } = entry;
    let data = if fields.is_empty() {
        Value::String(message)
    } else {
        let mut data = Map::from_iter([("message".to_owned(), json!(message))]);
        data.extend(fields);
        Value::Object(data)
    };
    LoggingMessageNotificationParam::new(severity(level), data).with_logger(plugin)
}

fn severity(level: Level) -> LoggingLevel {
    match level {
        Level::ERROR => LoggingLevel::Error,
        Level::WARN => LoggingLevel::Warning,
        Level::INFO => LoggingLevel::Info,
        _ => LoggingLevel::Debug,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(level: Level, number: usize) -> Written {
        Written { plugin: "dice", level, message: format!("entry {number}"), fields: Map::new() }
    }

    fn heard(wanted: LoggingLevel, most: u32) -> Heard {
        let pace = Arc::new(Mutex::new(Pace::new(most)));
        Heard { wanted, most, pace, queue: Mutex::default(), news: Notify::new() }
    }

    fn told(heard: &Heard) -> Vec<String> {
        let mut queue = lock(&heard.queue);
        queue.waiting.drain(..).map(|one| format!("{}: {}", one.logger.unwrap_or_default(), one.data)).collect()
    }

    #[test]
    fn an_entry_is_told_with_its_level_its_plugin_and_what_it_says() {
        let fields = Map::from_iter([("n".to_owned(), json!(1))]);
        let made = serde_json::to_value(message(Written { fields, ..entry(Level::WARN, 7) })).expect("plain data");
        assert_eq!(made, json!({ "level": "warning", "logger": "dice", "data": { "message": "entry 7", "n": 1 } }));
        let made = serde_json::to_value(message(entry(Level::INFO, 7))).expect("plain data");
        assert_eq!(made, json!({ "level": "info", "logger": "dice", "data": "entry 7" }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_from_the_level_on_that_it_asked_for() {
        let wants = |wanted| [Level::ERROR, Level::WARN, Level::INFO].map(|level| heard(wanted, 9).wants(level));
        assert_eq!(wants(LoggingLevel::Debug), [true, true, true]);
        assert_eq!(wants(LoggingLevel::Notice), [true, true, false]);
        assert_eq!(wants(LoggingLevel::Error), [true, false, false]);
        assert_eq!(wants(LoggingLevel::Emergency), [false, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_is_left_off_and_counted() {
        let heard = heard(LoggingLevel::Info, 2);
        (0..5).for_each(|number| heard.hear(entry(Level::INFO, number)));
        assert_eq!(told(&heard), ["dice: \"entry 0\"", "dice: \"entry 1\""]);
        tokio::time::advance(Duration::from_secs(1)).await;
        heard.hear(entry(Level::INFO, 5));
        let left_off = "nekro: \"3 entries were left off: 2 in a second are told (`mcp.log_per_second`)\"";
        assert_eq!(told(&heard), [left_off, "dice: \"entry 5\""]);
        // A client that does not read is told of no more than that, either.
        for number in 6..20 {
            tokio::time::advance(Duration::from_secs(1)).await;
            heard.hear(entry(Level::INFO, number));
        }
        let queue = lock(&heard.queue);
        assert_eq!((queue.waiting.len(), queue.left_off), (2, 12));
    }
}
