//! What was said, as the model reads it: the last messages, as many as there is room for.

use std::fmt;

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) by_person: bool,
    pub(crate) text: String,
}

/// What was said lately.
#[derive(Debug)]
pub(crate) struct History {
    // The newest first.
    said: Vec<Said>,
    characters: usize,
    cut: bool,
    max_messages: usize,
    max_characters: usize,
}

impl History {
    pub(crate) fn new(max_messages: usize, max_characters: usize) -> Self {
        Self { said: Vec::new(), characters: 0, cut: false, max_messages, max_characters }
    }

    /// Adds what was said before all that is there. Returns whether there is room for more.
    pub(crate) fn add(&mut self, mut said: Said) -> bool {
        let room = self.max_characters.saturating_sub(self.characters);
        if self.said.len() >= self.max_messages || room == 0 {
            self.cut = true;
            return false;
        }
        let length = said.text.chars().count();
        if length > room {
            // One long message is better read by its beginning than not at all.
            said.text = said.text.chars().take(room).chain(['…']).collect();
            self.cut = true;
        }
        self.characters += length.min(room);
        self.said.push(said);
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.said.len()
    }

    /// Tells whether a person said something. What only programs have said needs no digest.
    pub(crate) fn has_people(&self) -> bool {
        self.said.iter().any(|said| said.by_person)
    }

    /// Tells whether something was left out.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }
}

/// In the order in which it was said.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Said { at, by, text, .. } in self.said.iter().rev() {
            writeln!(f, "[{at}] {by}: {text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said { at: "12:00".to_owned(), by: "ada".to_owned(), by_person: true, text: text.to_owned() }
    }

    #[test]
    fn what_was_said_is_read_in_its_order() {
        let mut history = History::new(10, 100);
        assert!(!history.has_people() && history.add(said("second")) && history.add(said("first")));
        assert!(history.has_people());
        assert_eq!(history.to_string(), "[12:00] ada: first\n[12:00] ada: second\n");
        assert_eq!((history.len(), history.is_cut()), (2, false));
    }

    #[test]
    fn what_there_is_no_room_for_is_the_oldest_and_is_told() {
        let mut history = History::new(2, 100);
        assert!(history.add(said("third")) && history.add(said("second")));
        assert!(!history.add(said("first")) && history.is_cut());
        let mut history = History::new(10, 5);
        assert!(history.add(said("later")) && !history.add(said("earlier")));
        assert_eq!((history.to_string().as_str(), history.is_cut()), ("[12:00] ada: later\n", true));
        let mut history = History::new(10, 3);
        assert!(history.add(said("äöüß")) && history.is_cut());
        assert_eq!(history.to_string(), "[12:00] ada: äöü…\n");
    }
}
