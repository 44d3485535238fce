//! The notes of one conversation.
//!
//! Kept as one value: every change is then one atomic update of the store, so no save is lost and the limits hold however many come
//! at once.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{key::Key, query::Query};

/// The notes of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notebook {
    // Invariant: in the order in which they were saved, and no two with one key.
    entries: Vec<Entry>,
    // How many keys were made up; none is made up twice, for somebody may remember the note that had it.
    numbered: u64,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// What it is called by.
    pub key: Key,
    /// What it says.
    pub text: String,
    /// Whether it is shown before all others.
    pub pinned: bool,
    /// When it was saved.
    pub saved: Timestamp,
}

/// A note to save.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// What to call it by; `None` for a number.
    pub(crate) key: Option<Key>,
    /// What it says.
    pub(crate) text: String,
    /// Whether to show it before all others; `None` to leave that as it is.
    pub(crate) pinned: Option<bool>,
}

/// What a conversation may keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many notes.
    pub(crate) notes: usize,
    /// How many characters in each.
    pub(crate) length: usize,
}

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The note.
    pub(crate) entry: Entry,
    /// What the note of this key said before.
    pub(crate) replaced: Option<String>,
}

/// Why a notebook stays as it is.
// Not a `std::error::Error`: it becomes one of the plugin's errors, with its code and its advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such note.
    NotFound(Key),
    /// The note would say nothing.
    Empty,
    /// The note would say too much.
    TooLong {
        /// How many characters it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// There are as many notes as there may be.
    Full {
        /// How many there may be.
        most: usize,
    },
}

impl Notebook {
    /// Saves a note, in place of the one with its key.
    ///
    /// # Errors
    ///
    /// If it says nothing or too much, or if there are too many others. The notebook is then as it was.
    pub(crate) fn save(&mut self, draft: Draft, now: Timestamp, limits: Limits) -> Result<Change, Refusal> {
        let text = clean(&draft.text);
        let length = text.chars().count();
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        if length > limits.length {
            return Err(Refusal::TooLong { length, most: limits.length });
        }
        let place = draft.key.as_ref().and_then(|key| self.place(key));
        if place.is_none() && self.entries.len() >= limits.notes {
            return Err(Refusal::Full { most: limits.notes });
        }
        let before = place.map(|place| self.entries.remove(place));
        let key = draft.key.unwrap_or_else(|| self.next_number());
        let pinned = draft.pinned.or(before.as_ref().map(|before| before.pinned)).unwrap_or_default();
        let entry = Entry { key, text, pinned, saved: now };
        self.entries.push(entry.clone());
        Ok(Change { entry, replaced: before.map(|before| before.text) })
    }

    /// Removes a note.
    ///
    /// # Errors
    ///
    /// If there is none with this key.
    pub(crate) fn remove(&mut self, key: &Key) -> Result<Entry, Refusal> {
        let place = self.place(key).ok_or_else(|| Refusal::NotFound(key.clone()))?;
        Ok(self.entries.remove(place))
    }

    /// Returns how many notes there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the notes, the last saved first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// Returns the notes, pinned ones first, and then the last saved first.
    pub(crate) fn foremost(&self) -> impl Iterator<Item = &Entry> {
        self.newest().filter(|entry| entry.pinned).chain(self.newest().filter(|entry| !entry.pinned))
    }

    /// Returns the notes that a query finds: the one with that very key, and then the last saved first.
    pub(crate) fn find(&self, query: &Query) -> impl Iterator<Item = &Entry> {
        let wanted = String::from(query.clone());
        let called = move |entry: &&Entry| entry.key.as_str().to_lowercase() == wanted;
        let exact = self.newest().filter(called.clone());
        exact.chain(self.newest().filter(move |entry| !called(entry) && query.matches([entry.key.as_str(), &entry.text])))
    }

    /// Returns the notes whose keys come after `after`, in the order of the keys.
    pub(crate) fn after(&self, after: Option<&Key>) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.entries.iter().filter(|entry| after.is_none_or(|after| entry.key > *after)).collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries
    }

    fn place(&self, key: &Key) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == *key)
    }

    fn next_number(&mut self) -> Key {
        loop {
            self.numbered += 1;
            let key = Key::numbered(self.numbered);
            // Somebody may have called a note `7` on their own.
            if self.place(&key).is_none() {
                return key;
            }
        }
    }
}

/// How many characters of a note stand in its line.
const LINE: usize = 200;

/// The note as one line, which it cannot leave: what is in a note cannot pass for what stands around it.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, text, pinned, .. } = self;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = text.chars().take(LINE).collect();
        let (mark, rest) = (if *pinned { " (pinned)" } else { "" }, if cut.len() < text.len() { "…" } else { "" });
        write!(f, "{key}{mark}: {cut}{rest}")
    }
}

/// Removes the space around a text, and what would control the terminal that shows it.
fn clean(text: &str) -> String {
    let shown = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
    text.chars().filter(shown).collect::<String>().trim().to_owned()
}

impl Refusal {
    /// Returns the code, which programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::Full { .. } => "full",
        }
    }

    /// Returns what to do instead.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "`notes.list` shows the keys",
            Self::Empty => "to remove a note, call `notes.remove`",
            Self::TooLong { .. } => "shorten it, or save it as several notes",
            Self::Full { .. } => "remove a note that is no longer needed, or save under the key of one to replace it",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(key) => write!(f, "there is no note `{key}`"),
            Self::Empty => f.write_str("a note has to say something"),
            Self::TooLong { length, most } => write!(f, "the note has {length} characters, and {most} is the most"),
            Self::Full { most } => write!(f, "there are {most} notes, and that is the most"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { notes: 3, length: 10 };

    fn key(text: &str) -> Key {
        Key::try_from(text.to_owned()).expect("a key")
    }

    fn draft(of: Option<&str>, text: &str) -> Draft {
        Draft { key: of.map(key), text: text.to_owned(), pinned: None }
    }

    fn keys<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<&'a str> {
        entries.into_iter().map(|entry| entry.key.as_str()).collect()
    }

    /// Saves each; a `None` has no key of its own.
    fn notebook(drafts: &[Option<&str>]) -> Notebook {
        let mut notebook = Notebook::default();
        for of in drafts {
            notebook.save(draft(*of, "text"), Timestamp::UNIX_EPOCH, LIMITS).expect("within the limits");
        }
        notebook
    }

    #[track_caller]
    fn refused(notebook: &mut Notebook, draft: Draft, expected: Refusal) {
        let before = notebook.clone();
        assert_eq!(notebook.save(draft, Timestamp::UNIX_EPOCH, LIMITS), Err(expected));
        assert_eq!(*notebook, before);
    }

    #[test]
    fn a_refused_note_leaves_the_notebook_as_it_was() {
        let mut full = notebook(&[Some("a"), Some("b"), Some("c")]);
        refused(&mut full, draft(None, "text"), Refusal::Full { most: 3 });
        refused(&mut full, draft(Some("d"), "text"), Refusal::Full { most: 3 });
        refused(&mut full, draft(Some("a"), "ten and one"), Refusal::TooLong { length: 11, most: 10 });
        refused(&mut full, draft(Some("a"), " \u{1b}\0\n"), Refusal::Empty);
    }

    #[test]
    fn a_full_notebook_still_lets_a_note_be_replaced() {
        let mut full = notebook(&[Some("a"), Some("b"), Some("c")]);
        let change = full.save(draft(Some("a"), "new"), Timestamp::UNIX_EPOCH, LIMITS).expect("a replacement");
        assert_eq!(change.replaced.as_deref(), Some("text"));
        assert_eq!(keys(full.newest()), ["a", "c", "b"]);
    }

    #[test]
    fn a_number_is_never_given_twice_or_taken_from_a_note_that_has_it() {
        let mut notebook = notebook(&[None, Some("2"), None]);
        assert_eq!(keys(notebook.newest()), ["3", "2", "1"]);
        notebook.remove(&key("3")).expect("it is there");
        notebook.save(draft(None, "text"), Timestamp::UNIX_EPOCH, LIMITS).expect("there is room");
        assert_eq!(keys(notebook.newest()), ["4", "2", "1"]);
    }

    #[test]
    fn pins_stay_until_they_are_taken_away() {
        let mut notebook = notebook(&[Some("a"), Some("b")]);
        for (pinned, expected) in [(Some(true), true), (None, true), (Some(false), false), (None, false)] {
            let change = notebook.save(Draft { pinned, ..draft(Some("a"), "text") }, Timestamp::UNIX_EPOCH, LIMITS);
            assert_eq!(change.expect("a replacement").entry.pinned, expected);
            assert_eq!(keys(notebook.foremost()), ["a", "b"]);
        }
    }

    #[test]
    fn the_note_with_the_very_key_is_found_first() {
        let mut notebook = notebook(&[Some("Ada")]);
        notebook.save(draft(None, "ada too"), Timestamp::UNIX_EPOCH, LIMITS).expect("there is room");
        let query = Query::try_from("ADA".to_owned()).expect("a query");
        assert_eq!(keys(notebook.find(&query)), ["Ada", "1"]);
    }

    #[test]
    fn a_listing_goes_on_after_a_key_that_is_no_longer_there() {
        let notebook = notebook(&[Some("c"), Some("a")]);
        assert_eq!(keys(notebook.after(None)), ["a", "c"]);
        assert_eq!(keys(notebook.after(Some(&key("b")))), ["c"]);
    }

    #[test]
    fn a_note_cannot_leave_its_line() {
        let text = format!("one\n# two\u{2028}three {}", "x".repeat(LINE));
        let entry = Entry { key: key("k"), text, pinned: true, saved: Timestamp::UNIX_EPOCH };
        let line = entry.to_string();
        assert!(line.starts_with("k (pinned): one # two three xxx") && line.ends_with("x…"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
