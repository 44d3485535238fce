//! Telling many listeners what happens: server-sent events that a listener can take up again where it lost them.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::{
    collections::VecDeque,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::error::Result;

/// How many notices are kept for those who come back, if nobody says.
const KEPT: usize = 256;

/// How many bytes these may have together.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Where a plugin says what happens, and anybody listens. Clones are the same channel; when the last one is gone, its listeners are done.
///
/// It never waits for a listener. The last notices are kept: who comes back is told what was missed, and how much is no longer there.
///
/// ```
/// # use nekro_core::web::{Channel, Notice};
/// let channel = Channel::new();
/// let listener = channel.listen();
/// channel.tell(Notice::new("moved", &"to the left").unwrap());
/// # drop(listener);
/// ```
#[derive(Clone)]
pub struct Channel(Arc<Owner>);

/// Ends the listening when the last of those who tell is gone.
struct Owner(Arc<Inner>);

struct Inner {
    // Tells this channel's numbers from those of one before, which a listener may come back with.
    mark: u64,
    kept: usize,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    // The number of the notice that comes next, and those before it.
    next: u64,
    notices: VecDeque<Arc<Notice>>,
    bytes: usize,
    has_ended: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    name: String,
    data: String,
    topic: Option<String>,
}

impl Notice {
    /// Says what happened: a word, and a value as JSON.
    ///
    /// # Errors
    ///
    /// If the value has no JSON form.
    pub fn new(name: impl Into<String>, value: &impl Serialize) -> Result<Self> {
        Ok(Self { name: name.into(), data: serde_json::to_string(value)?, topic: None })
    }

    /// Says what happened in the words of another protocol: the text as it is, under a word, or under none if that is empty.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), data: text.into(), topic: None }
    }

    /// Says what it is about: listeners may want one topic only.
    #[must_use]
    pub fn about(self, topic: impl Into<String>) -> Self {
        Self { topic: Some(topic.into()), ..self }
    }

    /// Returns the word.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, as JSON.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Writes it as the protocol has it. A line break would end a line of the protocol.
    fn frame(&self, id: Option<String>) -> String {
        let name: String = self.name.chars().filter(|one| !matches!(one, '\n' | '\r')).collect();
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let data: String = self.data.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
        let name = if name.is_empty() { name } else { format!("event: {name}\n") };
        format!("{id}{name}{data}\n")
    }
}

impl Channel {
    /// Makes a channel that keeps the last 256 notices.
    pub fn new() -> Self {
        Self::keeping(KEPT)
    }

    /// Makes a channel that keeps this many notices, and no more than 4 MiB of them.
    pub fn keeping(kept: usize) -> Self {
        let mark = RandomState::new().hash_one(0);
        Self(Arc::new(Owner(Arc::new(Inner { mark, kept, state: Mutex::default(), changed: watch::Sender::new(()) }))))
    }

    /// Tells everybody who listens.
    pub fn tell(&self, notice: Notice) {
        let inner = &self.0.0;
        let mut state = inner.lock();
        state.next += 1;
        state.bytes += notice.data.len();
        state.notices.push_back(Arc::new(notice));
        while state.notices.len() > inner.kept || state.bytes > KEPT_BYTES && state.notices.len() > 1 {
            let gone = state.notices.pop_front().map_or(0, |gone| gone.data.len());
            state.bytes -= gone;
        }
        drop(state);
        inner.changed.send_replace(());
    }

    /// Waits until nobody listens any more.
    pub async fn deserted(&self) {
        self.0.0.changed.closed().await;
    }

    /// Listens from now on.
    pub fn listen(&self) -> Sse {
        let inner = Arc::clone(&self.0.0);
        let changed = inner.changed.subscribe();
        let next = inner.lock().next;
        Sse { inner, changed, next, topic: None, first: VecDeque::new() }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.changed.send_replace(());
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one listener is told. Returned by a route, it is a stream of server-sent events.
pub struct Sse {
    inner: Arc<Inner>,
    changed: watch::Receiver<()>,
    next: u64,
    topic: Option<String>,
    // What is told before anything of the channel.
    first: VecDeque<String>,
}

impl Sse {
    /// Wants one topic only.
    #[must_use]
    pub fn about(self, topic: impl Into<String>) -> Self {
        Self { topic: Some(topic.into()), ..self }
    }

    /// Tells this first: how things stand, say, before what changes.
    #[must_use]
    pub fn first(mut self, notice: Notice) -> Self {
        self.first.push_back(notice.frame(None));
        self
    }

    /// Goes on after the notice that the listener had last, by its id: what the header `Last-Event-ID` brings. The host calls it.
    pub fn resume(&mut self, last: &str) {
        let known = last.split_once('-').and_then(|(mark, number)| {
            let mark = u64::from_str_radix(mark, 16).ok()?;
            Some((mark, number.parse::<u64>().ok()?))
        });
        match known {
            Some((mark, number)) if mark == self.inner.mark && number <= self.next => self.next = number,
            // Of another time: what came in between is not known here.
            _ => self.first.push_front(lost(None)),
        }
    }

    /// Waits for what comes next, as the protocol has it. `None` when nothing will come any more.
    pub async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.pop_front() {
            return Some(first);
        }
        loop {
            self.changed.borrow_and_update();
            if let Some(frame) = self.take()? {
                return Some(frame);
            }
            if self.changed.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Returns what is there: nothing for now, or `None` for never.
    fn take(&mut self) -> Option<Option<String>> {
        let state = self.inner.lock();
        let oldest = state.next - state.notices.len() as u64;
        if self.next < oldest {
            let count = oldest - self.next;
            self.next = oldest;
            return Some(Some(lost(Some(count))));
        }
        while self.next < state.next {
            let at = usize::try_from(self.next - oldest).unwrap_or(usize::MAX);
            self.next += 1;
            let Some(notice) = state.notices.get(at) else { break };
            if self.topic.is_none() || self.topic == notice.topic {
                let id = format!("{:x}-{}", self.inner.mark, self.next);
                return Some(Some(notice.frame(Some(id))));
            }
        }
        if state.has_ended { None } else { Some(None) }
    }
}

/// Says that notices were lost, and how many if that is known.
fn lost(count: Option<u64>) -> String {
    format!("event: lost\ndata: {}\n\n", json!({ "count": count }))
}

impl fmt::Debug for Sse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sse").field("topic", &self.topic).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(value: u32) -> Notice {
        Notice::new("count", &value).expect("plain data")
    }

    async fn data(sse: &mut Sse) -> String {
        let frame = sse.next().await.expect("something comes");
        let line = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        format!("{} {}", line("event: "), line("data: "))
    }

    fn id(frame: &str) -> &str {
        frame.lines().find_map(|line| line.strip_prefix("id: ")).expect("it has an id")
    }

    #[tokio::test]
    async fn a_listener_goes_on_where_it_was() {
        let channel = Channel::keeping(2);
        let mut first = channel.listen();
        (1..=3).for_each(|number| channel.tell(notice(number)));
        assert_eq!(data(&mut first).await, "lost {\"count\":1}");
        let seen = first.next().await.expect("a notice");
        let mut again = channel.listen();
        again.resume(id(&seen));
        assert_eq!(data(&mut again).await, "count 3");
        drop(channel);
        assert_eq!(again.next().await, None, "nobody is left to tell anything");
    }

    #[tokio::test]
    async fn what_another_channel_had_numbered_is_lost_and_said_so() {
        let channel = Channel::new();
        for strange in ["", "0-1", "x", "ffffffffffffffffffffffff-1", "1-99999999999999999999"] {
            let mut listener = channel.listen();
            listener.resume(strange);
            assert_eq!(data(&mut listener).await, "lost {\"count\":null}", "{strange}");
        }
    }

    #[tokio::test]
    async fn a_topic_is_heard_alone_and_the_state_comes_first() {
        let channel = Channel::new();
        let mut listener = channel.listen().about("b").first(notice(0));
        channel.tell(notice(1).about("a"));
        channel.tell(notice(2).about("b"));
        assert_eq!(data(&mut listener).await, "count 0");
        assert_eq!(data(&mut listener).await, "count 2");
    }

    #[test]
    fn a_notice_cannot_break_out_of_its_lines() {
        let notice = Notice { name: "a\ndata: b".to_owned(), data: "1\r\n2".to_owned(), topic: None };
        assert_eq!(notice.frame(None), "event: adata: b\ndata: 1\ndata: \ndata: 2\n\n");
    }
}
