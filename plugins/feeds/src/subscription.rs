//! What is kept of a feed that is followed.

use std::collections::{HashSet, VecDeque};

use nekro_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Marks, Newest,
    feed::{Entry, Feed},
};

/// How many entries are remembered beyond those that the feed has: one that comes back is not new.
const REMEMBERED: usize = 500;

/// What the keys of subscriptions begin with.
pub(crate) const PREFIX: &str = "feed/";

/// A feed that is followed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) checked: Timestamp,
    pub(crate) problem: Option<String>,
    pub(crate) marks: Marks,
    // Marks of the entries that are not new any more, oldest first.
    known: VecDeque<u64>,
    // What is new and people are still to be told of, newest first, without its text.
    #[serde(default)]
    untold: Vec<Entry>,
}

impl Subscription {
    /// Begins to follow a feed.
    pub(crate) fn new(url: &str) -> Self {
        let (title, checked) = (String::new(), Timestamp::UNIX_EPOCH);
        let (marks, known, untold) = (Marks::default(), VecDeque::new(), Vec::new());
        Self { url: url.to_owned(), title, checked, problem: None, marks, known, untold }
    }

    /// Notes that people will be told of new entries.
    pub(crate) fn will_tell(&mut self, new: &[Entry]) {
        let new = new.iter().map(|entry| Entry { text: String::new(), ..entry.clone() });
        self.untold.splice(..0, new);
        self.untold.truncate(REMEMBERED);
    }

    /// Returns what people are still to be told of.
    pub(crate) fn untold(&self) -> Newest {
        Newest { feed: self.url.clone(), title: self.title.clone(), entries: self.untold.clone() }
    }

    /// Notes that people were told of these.
    pub(crate) fn told(&mut self, entries: &[Entry]) {
        self.untold.retain(|entry| !entries.contains(entry));
    }

    /// Takes what the feed says now, and returns the entries that are new, in its order.
    pub(crate) fn take(&mut self, feed: &Feed, marks: Marks, now: Timestamp) -> Vec<Entry> {
        let known: HashSet<u64> = self.known.iter().copied().collect();
        let new: Vec<_> = feed.entries.iter().filter(|entry| !known.contains(&fingerprint(&entry.id))).cloned().collect();
        self.known.extend(new.iter().rev().map(|entry| fingerprint(&entry.id)));
        // As many as the feed has are never forgotten: they would all be new again.
        let most = REMEMBERED.max(feed.entries.len() * 2);
        self.known.drain(..self.known.len().saturating_sub(most));
        (self.title, self.marks) = (feed.title.clone(), marks);
        self.looked(None, now);
        new
    }

    /// Notes that the server says that nothing has changed.
    pub(crate) fn unchanged(&mut self, now: Timestamp) -> Vec<Entry> {
        self.looked(None, now)
    }

    /// Notes that the feed could not be read.
    pub(crate) fn failed(&mut self, problem: String, now: Timestamp) -> Vec<Entry> {
        self.looked(Some(problem), now)
    }

    fn looked(&mut self, problem: Option<String>, now: Timestamp) -> Vec<Entry> {
        (self.problem, self.checked) = (problem, now);
        Vec::new()
    }
}

/// Returns the key of a feed in the store; addresses may be longer than keys.
pub(crate) fn key(url: &str) -> String {
    format!("{PREFIX}{:016x}", fingerprint(url))
}

/// Returns a number that stands for a text: FNV-1a, the same in every version. Two that meet are one feed or entry of one conversation.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(ids: impl IntoIterator<Item = u32>) -> Feed {
        let entry = |id: u32| Entry { id: id.to_string(), title: String::new(), url: None, published: None, text: String::new() };
        Feed { title: "Tea".to_owned(), entries: ids.into_iter().map(entry).collect() }
    }

    #[track_caller]
    fn new(subscription: &mut Subscription, ids: impl IntoIterator<Item = u32>, expected: &[u32]) {
        let new = subscription.take(&feed(ids), Marks::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(new.iter().map(|entry| entry.id.parse()).collect::<Result<Vec<u32>, _>>(), Ok(expected.to_vec()));
    }

    #[test]
    fn an_entry_is_new_once() {
        let mut subscription = Subscription::new("https://example.org/feed");
        new(&mut subscription, [2, 1], &[2, 1]);
        new(&mut subscription, [3, 2, 1], &[3]);
        new(&mut subscription, [], &[]);
        new(&mut subscription, [1, 3], &[]);
    }

    #[test]
    fn what_is_remembered_has_an_end_and_covers_the_feed() {
        let mut subscription = Subscription::new("https://example.org/feed");
        for day in 0..100 {
            let ids = (day * 10..day * 10 + 400).rev();
            let count = subscription.take(&feed(ids.clone()), Marks::default(), Timestamp::UNIX_EPOCH).len();
            assert_eq!(count, if day == 0 { 400 } else { 10 }, "{day}");
            new(&mut subscription, ids, &[]);
        }
        assert!(subscription.known.len() <= 800);
    }
}
