//! A sentence, word by word.

/// A sentence.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// As it was written.
    pub(super) text: String,
    /// Its words, in their order.
    pub(super) words: Vec<Word>,
    /// What stands in quotation marks.
    pub(super) quoted: Vec<Quoted>,
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, numbers in digits.
    pub(super) plain: String,
    /// What it comes from: `notes` and `noted` from `note`.
    pub(super) stem: String,
    /// Where it begins and ends in the text.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What stands in quotation marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Without the marks.
    pub(super) text: String,
    /// Where it begins and ends, with them.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How much of a sentence is read, in bytes. Nobody asks for a tool in more.
const MOST: usize = 4_000;

/// Words that say nothing of what is wanted.
const EMPTY: &[&str] = &[
    "a", "about", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "did", "do",
    "does", "for", "from", "have", "has", "hello", "hey", "hi", "how", "i", "in", "is", "it", "its", "just", "kindly", "let",
    "many", "may", "me", "much", "my", "now", "of", "on", "or", "our", "out", "please", "so", "some", "than", "that", "the",
    "there", "these", "this", "those", "to", "up", "us", "was", "we", "were", "what", "whats", "when", "where", "which", "who",
    "will", "with", "would", "you", "your", "like", "want", "need", "got", "had", "ok", "okay",
];

/// What a polite sentence begins with.
const POLITE: &[&str] = &[
    "please", "can", "could", "would", "will", "you", "i", "want", "to", "like", "need", "lets", "let", "us", "me", "now",
    "then", "and", "hey", "hi", "hello", "ok", "okay", "so", "just", "kindly", "also", "id", "nekro",
];

impl Sentence {
    /// Reads a sentence.
    pub(super) fn new(text: &str) -> Self {
        let end = (0..=MOST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let text = &text[..end];
        let quoted = quoted(text);
        let words = split(text).filter(|(start, _)| !quoted.iter().any(|quoted| (quoted.start..quoted.end).contains(start)));
        let words =
            words.map(|(start, end)| Word::new(&text[start..end], start, end)).filter(|word| !word.plain.is_empty()).collect();
        Self { text: text.to_owned(), words, quoted }
    }

    /// Returns the position of the first word that is no politeness.
    pub(super) fn first(&self) -> Option<usize> {
        self.words.iter().position(|word| !POLITE.contains(&word.plain.as_str()))
    }

    /// Tells whether it begins with what is to be done.
    pub(super) fn is_command(&self) -> bool {
        self.first().is_some_and(|first| action(&self.words[first].stem).is_some())
    }

    /// Returns what is to be done, as far as the words tell.
    pub(super) fn action(&self) -> Option<Action> {
        let first = self.first()?;
        if let Some(action) = action(&self.words[first].stem) {
            return Some(action);
        }
        let has = |words: &[&str]| self.words.iter().any(|word| words.contains(&word.plain.as_str()));
        let asks = ["what", "whats", "which", "where", "how", "do", "is", "are", "when", "who", "any"];
        if asks.contains(&self.words[first].plain.as_str()) || self.text.trim_end().ends_with('?') {
            return Some(if has(&["about", "for", "with", "of", "on"]) { Action::Find } else { Action::List });
        }
        None
    }
}

impl Word {
    fn new(written: &str, start: usize, end: usize) -> Self {
        let lower = written.to_lowercase().replace(['\'', '’'], "");
        let plain = number(&lower).map_or(lower, |number| number.to_string());
        Self { stem: stem(&plain), plain, start, end }
    }

    /// Tells whether it says nothing of what is wanted.
    pub(super) fn is_empty(&self) -> bool {
        EMPTY.contains(&self.plain.as_str())
    }
}

/// Splits a text into words: what stands between spaces, without the punctuation around it.
fn split(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(|one: char| !one.is_whitespace())?;
        let end = text[start..].find(char::is_whitespace).map_or(text.len(), |end| start + end);
        from = end;
        let word = &text[start..end];
        // A sign at the front may belong to a number.
        let inner = word.trim_matches(|one: char| !one.is_alphanumeric() && !matches!(one, '-' | '+'));
        let at = start + word.find(inner).unwrap_or(0);
        Some((at, at + inner.len()))
    })
}

fn quoted(text: &str) -> Vec<Quoted> {
    const MARKS: [(char, char); 5] = [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('`', '`')];
    let mut quoted = Vec::new();
    let mut from = 0;
    while let Some((at, open)) = text[from..].char_indices().find(|(_, one)| MARKS.iter().any(|(open, _)| open == one)) {
        let (start, inside) = (from + at, from + at + open.len_utf8());
        let close = MARKS
            .iter()
            .filter(|(other, _)| *other == open)
            .find_map(|(_, close)| text[inside..].find(*close).map(|end| (inside + end, *close)));
        let Some((end, close)) = close else { break };
        from = end + close.len_utf8();
        quoted.push(Quoted { text: text[inside..end].trim().to_owned(), start, end: from });
    }
    quoted
}

/// Reads a number in words.
fn number(word: &str) -> Option<u32> {
    const SMALL: [&str; 21] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    const OTHERS: [(&str, u32); 7] =
        [("thirty", 30), ("forty", 40), ("fifty", 50), ("sixty", 60), ("hundred", 100), ("dozen", 12), ("twice", 2)];
    let small = SMALL.iter().position(|small| *small == word).and_then(|number| u32::try_from(number).ok());
    small.or_else(|| OTHERS.iter().find(|(other, _)| *other == word).map(|(_, number)| *number))
}

/// Takes the endings off that English puts to a word. Not linguistics: two forms of a word become the same text.
pub(super) fn stem(word: &str) -> String {
    let cut = |ending: &str, least: usize| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least);
    if let Some(rest) = cut("ies", 2) {
        return format!("{rest}y");
    }
    if let Some(rest) = cut("ing", 3).or_else(|| cut("ed", 3)) {
        let mut letters = rest.chars().rev();
        let doubled = letters.next().filter(|last| letters.next() == Some(*last) && !matches!(last, 'l' | 's'));
        return doubled.map_or(rest, |last| rest.strip_suffix(last).unwrap_or(rest)).trim_end_matches('e').to_owned();
    }
    let singular = if word.ends_with("ss") { None } else { cut("s", 2) };
    singular.unwrap_or(word).trim_end_matches('e').to_owned()
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Save,
    Find,
    List,
    Remove,
    Change,
    Send,
    Roll,
    Compute,
}

/// Returns what a verb says is to be done: that of a sentence, or the name of a tool.
pub(super) fn action(stemmed: &str) -> Option<Action> {
    const VERBS: [(Action, &[&str]); 8] = [
        (
            Action::Save,
            &[
                "save", "note", "remember", "store", "keep", "write", "record", "memorize", "memorise", "jot", "add", "create",
                "make", "take",
            ],
        ),
        (Action::Find, &["find", "search", "look", "lookup", "seek", "query", "get", "fetch", "read"]),
        (Action::List, &["list", "show", "display", "enumerate", "print"]),
        (Action::Remove, &["remove", "delete", "forget", "erase", "drop", "discard", "clear", "cancel"]),
        (Action::Change, &["change", "update", "set", "edit", "rename", "modify"]),
        (Action::Send, &["send", "post", "mail", "publish"]),
        (Action::Roll, &["roll", "throw", "toss", "cast"]),
        (Action::Compute, &["compute", "calculate", "calc", "evaluate", "convert"]),
    ];
    VERBS.iter().find(|(_, verbs)| verbs.iter().any(|verb| stem(verb) == stemmed)).map(|(action, _)| *action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_become_the_same() {
        for forms in [
            &["note", "notes", "noted", "noting"][..],
            &["pin", "pins", "pinned", "pinning"],
            &["roll", "rolls", "rolled"],
            &["city", "cities"],
        ] {
            let stems: std::collections::BTreeSet<_> = forms.iter().map(|form| stem(form)).collect();
            assert_eq!(stems.len(), 1, "{stems:?}");
        }
        assert_ne!(stem("dress"), stem("dres"));
    }

    #[test]
    fn a_sentence_has_words_numbers_and_quotations() {
        let sentence = Sentence::new("Please, roll two d6+1 — “and so” on!");
        let words: Vec<_> = sentence.words.iter().map(|word| word.plain.as_str()).collect();
        assert_eq!(words, ["please", "roll", "2", "d6+1", "on"]);
        assert_eq!(sentence.quoted.iter().map(|quoted| quoted.text.as_str()).collect::<Vec<_>>(), ["and so"]);
        assert_eq!(sentence.action(), Some(Action::Roll));
    }

    #[test]
    fn a_long_text_is_not_read_to_its_end() {
        assert!(Sentence::new(&"ü ".repeat(100_000)).words.len() < MOST);
    }
}
