//! Taking the arguments of a tool out of a sentence, by their types.

use std::{collections::BTreeSet, str::FromStr};

use jiff::{Span, Timestamp, civil};
use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{
    example::Kinds,
    sentence::{Sentence, action, stem},
    shape::{Shape, Slot, slots},
};
use crate::model::ToolSpec;

/// What a sentence gives to a tool.
#[derive(Debug)]
pub(super) struct Filled<'t> {
    pub(super) arguments: Map<String, Value>,
    /// The first that must be given, and is not.
    pub(super) missing: Option<Slot<'t>>,
    /// How much the values speak for the tool: a text that looks like `2d6` is hardly by chance in a sentence.
    pub(super) evidence: f64,
}

/// Words after which a name stands.
const NAMED: [&str; 4] = ["called", "named", "titled", "labelled"];
/// Words after which stands what something is about.
const ABOUT: [&str; 10] = ["about", "for", "containing", "mentioning", "regarding", "concerning", "with", "on", "of", "that"];
/// Words between an argument's name and its value.
const BETWEEN: [&str; 5] = ["is", "to", "=", "of", "as"];

/// Takes the arguments of a tool out of a sentence.
pub(super) fn fill<'t>(sentence: &Sentence, tool: &'t ToolSpec) -> Filled<'t> {
    let mut filling = Filling::new(sentence, tool);
    let mut arguments = Map::new();
    let (mut evidence, mut missing) = (0.0, None);
    // What is said by its name first, then what can be told by its form, and what is left over last.
    let mut slots: Vec<_> = slots(&tool.arguments).into_iter().map(|slot| (slot, None)).collect();
    for stage in [Filling::by_name, Filling::by_form, Filling::by_example, Filling::by_place, Filling::by_rest] {
        for (slot, value) in slots.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Some((found, weight)) = stage(&mut filling, slot) {
                evidence += weight;
                *value = Some(found);
            }
        }
    }
    // Nothing else was said.
    if evidence >= 2.0 && (0..sentence.words.len()).all(|at| filling.used.contains(&at) || sentence.words[at].is_empty()) {
        evidence += 1.0;
    }
    for (slot, value) in slots {
        match value {
            Some(value) => {
                arguments.insert(slot.name.to_owned(), value);
            }
            None if slot.required && missing.is_none() => missing = Some(slot),
            None => {}
        }
    }
    Filled { arguments, missing, evidence }
}

/// Reads what somebody answers who was asked for one argument.
pub(super) fn read_answer(sentence: &Sentence, shape: &Shape) -> Option<Value> {
    let text = match sentence.quoted.as_slice() {
        [only] => only.text.as_str(),
        _ => sentence.text.trim(),
    };
    let word = |index: usize| sentence.words.get(index).map(|word| word.plain.as_str());
    match shape {
        Shape::Prose | Shape::Name | Shape::Words => (!text.is_empty()).then(|| text.into()),
        Shape::Yes => match word(0)? {
            "yes" | "y" | "true" | "on" | "sure" => Some(true.into()),
            "no" | "n" | "false" | "off" => Some(false.into()),
            _ => None,
        },
        Shape::Integer => sentence.words.iter().find_map(|word| word.plain.parse::<i64>().ok()).map(Value::from),
        Shape::Number => sentence.words.iter().find_map(|word| number(&word.plain)),
        Shape::Choice(values) => choice(sentence, values).map(|(_, value)| value),
        Shape::Form(form) => {
            matches_whole(form, text).then(|| text.into()).or_else(|| of_form(sentence, form).map(|(_, value)| value))
        }
        Shape::Date | Shape::Moment | Shape::Duration => moment(sentence, shape).map(|(_, value)| value),
        Shape::List => alternatives(text).map(Value::from),
        Shape::Other => serde_json::from_str(text).ok(),
    }
}

struct Filling<'s> {
    sentence: &'s Sentence,
    // The words that have become a value, or said which.
    used: BTreeSet<usize>,
    quoted: bool,
    // The words of the tool's name: they say which tool is meant, and are no values.
    nouns: BTreeSet<String>,
    // Where a part of the sentence begins that is said by its name.
    end: usize,
}

impl<'s> Filling<'s> {
    fn new(sentence: &'s Sentence, tool: &ToolSpec) -> Self {
        let nouns = tool.name.split(['.', '_', '-']).map(stem).collect();
        let verb = sentence.first().filter(|first| action(&sentence.words[*first].stem).is_some());
        Self { sentence, used: verb.into_iter().collect(), quoted: false, nouns, end: sentence.text.len() }
    }

    fn by_name(&mut self, slot: &Slot<'_>) -> Option<(Value, f64)> {
        let words = &self.sentence.words;
        if matches!(slot.shape, Shape::Yes) || is_unit(slot) || is_place(slot) {
            return None;
        }
        let name = stem(slot.name);
        let is_named = |at: usize| match slot.shape {
            Shape::Name if NAMED.contains(&words[at].plain.as_str()) => true,
            _ => words[at].stem == name && !self.nouns.contains(&name),
        };
        let at = (0..words.len()).find(|at| !self.used.contains(at) && is_named(*at))?;
        let from = words[at].end;
        if let (Shape::Name | Shape::Words | Shape::Prose, Some(quoted)) =
            (&slot.shape, self.sentence.quoted.iter().find(|quoted| quoted.start >= from && quoted.start - from <= 4))
        {
            (self.quoted, self.end) = (true, self.end.min(words[at].start));
            self.used.insert(at);
            return Some((quoted.text.clone().into(), 1.0));
        }
        let next = (at + 1..words.len()).find(|next| !BETWEEN.contains(&words[*next].plain.as_str()))?;
        let value = match &slot.shape {
            Shape::Name => self.sentence.text[words[next].start..words[next].end].into(),
            Shape::Integer => words[next].plain.parse::<i64>().ok()?.into(),
            Shape::Number => number(&words[next].plain)?,
            _ => return None,
        };
        self.used.extend(at..=next);
        self.end = self.end.min(words[at].start);
        Some((value, 1.0))
    }

    fn by_form(&mut self, slot: &Slot<'_>) -> Option<(Value, f64)> {
        let words = &self.sentence.words;
        let free = |at: usize| !self.used.contains(&at);
        let (range, value, weight) = match &slot.shape {
            Shape::Form(form) => of_form(self.sentence, form).map(|(range, value)| (range, value, 3.0))?,
            Shape::Choice(values) => choice(self.sentence, values).map(|(range, value)| (range, value, 1.5))?,
            Shape::Date | Shape::Moment | Shape::Duration => {
                moment(self.sentence, &slot.shape).map(|(range, value)| (range, value, 1.5))?
            }
            Shape::Yes => {
                let name = stem(slot.name);
                let at = (0..words.len()).find(|at| free(*at) && words[*at].stem == name)?;
                let denied = at > 0 && ["not", "without", "no", "never", "dont"].contains(&words[at - 1].plain.as_str());
                (at..at + 1, (!denied).into(), 0.5)
            }
            Shape::Integer | Shape::Number => {
                let is_whole = matches!(slot.shape, Shape::Integer);
                let read = |at: usize| {
                    let word = words[at].plain.as_str();
                    let value = if is_whole { word.parse::<i64>().ok().map(Value::from) } else { number(word) };
                    value.filter(|value| slot.allows(value))
                };
                let mut numbers = (0..words.len()).filter(|at| free(*at)).filter_map(|at| Some((at, read(at)?)));
                let (at, value) = numbers.next()?;
                // Which of several is meant, nobody knows.
                if !slot.required && numbers.next().is_some() {
                    return None;
                }
                // "3 days": the second word says which number this is.
                let says_which = words.get(at + 1).is_some_and(|word| word.stem == stem(slot.name));
                (at..at + if says_which { 2 } else { 1 }, value, if slot.required { 1.0 } else { 0.5 })
            }
            Shape::List => {
                let options = alternatives(self.said())?;
                // "Tea or coffee?" asks for nothing else.
                let is_all = self.sentence.text.trim_end().ends_with('?') && self.is_bare();
                (0..0, options.into(), if is_all { 3.0 } else { 1.5 })
            }
            _ => return None,
        };
        if range.clone().any(|at| !free(at)) {
            return None;
        }
        self.used.extend(range);
        Some((value, weight))
    }

    /// Takes what looks like the examples of an argument.
    fn by_example(&mut self, slot: &Slot<'_>) -> Option<(Value, f64)> {
        if !matches!(slot.shape, Shape::Prose | Shape::Words | Shape::Name) {
            return None;
        }
        let (words, text, weight) = match unit(self.sentence, slot) {
            Some((word, text)) => (word..word + 1, text, 1.5),
            None => {
                let found = Kinds::of(slot.description).find(self.sentence, slot.description)?;
                let weight = if found.is_all && slot.required { 3.0 } else { 1.5 };
                (found.words, found.text, if slot.required { weight } else { 0.5 })
            }
        };
        if words.clone().any(|at| self.used.contains(&at)) {
            return None;
        }
        self.used.extend(words);
        Some((text.into(), weight))
    }

    /// Takes where something is: what stands behind `in`, for an argument that is described as a city or a time zone.
    fn by_place(&mut self, slot: &Slot<'_>) -> Option<(Value, f64)> {
        const MOST: usize = 3;
        if !is_place(slot) {
            return None;
        }
        let before: &[&str] = if slot.name == "from" { &["from"] } else { &["in", "at", "for", "to", "near"] };
        let words = &self.sentence.words;
        let says = |at: usize| {
            let word = &words[at];
            let is_time = ["today", "tomorrow", "yesterday", "tonight"].contains(&word.plain.as_str());
            !self.used.contains(&at)
                && !word.is_empty()
                && !is_time
                && !word.plain.starts_with(|first: char| first.is_ascii_digit())
        };
        let first = (1..words.len()).find(|at| before.contains(&words[at - 1].plain.as_str()) && says(*at))?;
        let place: Vec<_> = (first..words.len()).take_while(|at| says(*at)).take(MOST).collect();
        let text = &self.sentence.text[words[first].start..words[place[place.len() - 1]].end];
        self.used.extend(place);
        Some((text.split(',').next().unwrap_or(text).into(), if slot.required { 1.3 } else { 1.0 }))
    }

    /// Returns what is said behind the verb.
    fn said(&self) -> &'s str {
        let words = &self.sentence.words;
        let verb = self
            .sentence
            .first()
            .filter(|first| action(&words[*first].stem).is_some() || self.nouns.contains(&words[*first].stem));
        let from = verb.map_or(0, |verb| words[verb].end);
        let text = &self.sentence.text[from..];
        let between = ["between ", "from ", "of ", ": "].iter().find_map(|word| text.find(word).map(|at| at + word.len()));
        &text[between.unwrap_or(0)..]
    }

    /// Tells whether the sentence neither says what is to be done nor asks with a word.
    fn is_bare(&self) -> bool {
        self.sentence.first() == Some(0)
            && self.sentence.words.first().is_some_and(|word| !word.is_empty() && action(&word.stem).is_none())
    }

    fn by_rest(&mut self, slot: &Slot<'_>) -> Option<(Value, f64)> {
        let kinds = Kinds::of(slot.description);
        // What has an example that looks like something is not just anything, and neither is a unit.
        if !slot.required || kinds.time || kinds.amount || is_unit(slot) {
            return None;
        }
        let (text, weight) = match slot.shape {
            Shape::Prose => self.prose()?,
            Shape::Words | Shape::Name => self.keywords()?,
            _ => return None,
        };
        self.used.extend(0..self.sentence.words.len());
        (!text.is_empty()).then(|| (text.into(), weight))
    }

    fn quotation(&mut self) -> Option<String> {
        let quoted = if self.quoted { None } else { self.sentence.quoted.iter().max_by_key(|quoted| quoted.text.len()) };
        self.quoted |= quoted.is_some();
        quoted.map(|quoted| quoted.text.clone()).filter(|text| !text.is_empty())
    }

    /// Returns what somebody says, word by word as it was said: behind a colon, behind `that`, or behind what is to be done.
    fn prose(&mut self) -> Option<(String, f64)> {
        if let Some(quoted) = self.quotation() {
            return Some((quoted, 1.0));
        }
        let (text, words) = (&self.sentence.text, &self.sentence.words);
        let first = self.sentence.first()?;
        let is_verb = action(&words[first].stem).is_some();
        let that = words.iter().skip(first + 1).take(6).find(|word| word.plain == "that");
        let (start, weight) = match (text.find(": "), that) {
            (Some(colon), Some(that)) if that.start < colon => (that.end, 1.0),
            (Some(colon), _) => (colon + 2, 1.0),
            (None, Some(that)) => (that.end, 1.0),
            (None, None) if is_verb => (self.after_verb(first), 0.5),
            (None, None) => return None,
        };
        // What was said by its name stands before or behind.
        let end = if self.end > start { self.end } else { text.len() };
        let said = text.get(start..end)?.trim().trim_end_matches(['.', '!', ',', ';', ' ']);
        (!said.is_empty()).then(|| (said.to_owned(), weight))
    }

    /// Returns where what is said begins behind `note`, `write down`, or `make a note of`.
    fn after_verb(&self, verb: usize) -> usize {
        let words = &self.sentence.words;
        let is = |at: usize, these: &[&str]| words.get(at).is_some_and(|word| these.contains(&word.plain.as_str()));
        let mut last = verb;
        if is(last + 1, &["down", "me", "for"]) {
            last += 1;
        }
        let noun = if is(last + 1, &["a", "an", "the", "this", "my", "new"]) { last + 2 } else { last + 1 };
        if words.get(noun).is_some_and(|word| self.nouns.contains(&word.stem)) {
            last = noun;
        }
        if is(last + 1, &["to", "of"]) {
            last += 1;
        }
        words[last].end
    }

    /// Returns the words that somebody looks for, or calls something by.
    fn keywords(&mut self) -> Option<(String, f64)> {
        if let Some(quoted) = self.quotation() {
            return Some((quoted, 1.0));
        }
        let words = &self.sentence.words;
        let first = self.sentence.first().unwrap_or(0);
        let about = (first + 1..words.len()).find(|at| !self.used.contains(at) && ABOUT.contains(&words[*at].plain.as_str()));
        let says_something = |at: &usize| {
            let word = &words[*at];
            let asks = ["number", "no", "everything", "any", "anything", "something", "one", "tell", "know", "say", "there"];
            !self.used.contains(at)
                && !word.is_empty()
                && !self.nouns.contains(&word.stem)
                && !asks.contains(&word.plain.as_str())
        };
        let of = |from: usize| {
            (from..words.len()).filter(says_something).map(|at| self.sentence.text[words[at].start..words[at].end].to_owned())
        };
        let behind: Vec<_> = about.into_iter().flat_map(|about| of(about + 1)).collect();
        let (found, weight) = if behind.is_empty() { (of(first).collect(), 0.5) } else { (behind, 1.0) };
        // More than this is a sentence, and no name.
        const MOST: usize = 6;
        (!found.is_empty() && found.len() <= MOST).then(|| (found.join(" "), weight))
    }
}

/// Takes alternatives apart: `tea, coffee or milk`.
fn alternatives(text: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 60;
    let text = text.trim().trim_end_matches(['?', '.', '!']);
    let parts = text.split([',', ';']).flat_map(|part| part.split(" or ")).flat_map(|part| part.split(" and "));
    let parts: Vec<_> = parts
        .map(|part| part.trim().trim_start_matches("or ").trim_start_matches("and ").trim_matches('"').to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    (parts.len() > 1 && parts.iter().all(|part| part.len() <= LONGEST)).then_some(parts)
}

/// Finds the unit that an argument `from` or `to` is described to be: behind the number, and behind `to` or `how many`.
fn unit(sentence: &Sentence, slot: &Slot<'_>) -> Option<(usize, String)> {
    if !is_unit(slot) {
        return None;
    }
    let words = &sentence.words;
    let plain = |at: usize| words.get(at).map_or("", |word| word.plain.as_str());
    let number = (0..words.len()).find(|at| plain(*at).parse::<f64>().is_ok())?;
    let at = match slot.name {
        "from" => number + 1,
        "to" => {
            let behind = (number + 2..words.len()).find(|at| ["to", "into", "in", "as"].contains(&plain(*at))).map(|at| at + 1);
            behind.or_else(|| (0..number).find(|at| plain(*at) == "how" && plain(at + 1) == "many").map(|at| at + 2))?
        }
        _ => return None,
    };
    let word = words.get(at).filter(|word| !word.is_empty() && action(&word.stem).is_none())?;
    Some((at, sentence.text[word.start..word.end].to_owned()))
}

fn is_unit(slot: &Slot<'_>) -> bool {
    Sentence::new(slot.description).words.iter().any(|word| word.plain == "unit")
}

fn is_place(slot: &Slot<'_>) -> bool {
    let described = slot.description.to_lowercase();
    matches!(slot.shape, Shape::Prose | Shape::Words | Shape::Name)
        && ["city", "time zone"].iter().any(|one| described.contains(one))
}

fn number(word: &str) -> Option<Value> {
    let number = f64::from_str(word).ok().filter(|number| number.is_finite())?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

fn matches_whole(form: &Regex, text: &str) -> bool {
    form.find(text).is_some_and(|found| found.start() == 0 && found.end() == text.len())
}

/// Finds the longest row of words that together have a form: `two d6 plus 1` is `2d6+1`.
fn of_form(sentence: &Sentence, form: &Regex) -> Option<(std::ops::Range<usize>, Value)> {
    const MOST: usize = 5;
    let words = spoken(sentence);
    let quoted = sentence.quoted.iter().map(|quoted| quoted.text.as_str()).find(|text| matches_whole(form, text));
    if let Some(quoted) = quoted {
        return Some((0..0, quoted.into()));
    }
    for length in (1..=MOST.min(words.len())).rev() {
        for start in 0..=words.len() - length {
            for between in ["", " "] {
                let text = words[start..start + length].join(between);
                if text.len() <= 200 && matches_whole(form, &text) {
                    return Some((start..start + length, text.into()));
                }
            }
        }
    }
    None
}

/// Returns the words as they are written in a form: `six-sided dice` is `d6`, and `plus` is `+`.
fn spoken(sentence: &Sentence) -> Vec<String> {
    let mut spoken: Vec<String> = Vec::new();
    let mut sided = false;
    for word in &sentence.words {
        let sides = word
            .plain
            .strip_suffix("-sided")
            .map(|sides| Sentence::new(sides).words.first().map_or(String::new(), |word| word.plain.clone()));
        spoken.push(match (sides, word.plain.as_str()) {
            (Some(sides), _) => {
                sided = true;
                format!("d{sides}")
            }
            (None, "dice" | "die") if sided => String::new(),
            (None, "dice" | "die") => "d6".to_owned(),
            (None, "plus") => "+".to_owned(),
            (None, "minus") => "-".to_owned(),
            (None, plain) => plain.to_owned(),
        });
    }
    spoken
}

/// Finds a value that the sentence names. The longest counts.
fn choice(sentence: &Sentence, values: &[String]) -> Option<(std::ops::Range<usize>, Value)> {
    let mut found: Option<(std::ops::Range<usize>, &String)> = None;
    for value in values {
        let parts: Vec<_> = value.split(['_', '-', ' ']).map(|part| stem(&part.to_lowercase())).collect();
        let at = (0..sentence.words.len()).find(|at| {
            sentence.words.len() >= at + parts.len()
                && parts.iter().zip(&sentence.words[*at..]).all(|(part, word)| part == &word.stem)
        });
        if let Some(at) = at.filter(|_| found.as_ref().is_none_or(|(range, _)| range.len() < parts.len())) {
            found = Some((at..at + parts.len(), value));
        }
    }
    found.map(|(range, value)| (range, value.as_str().into()))
}

/// Finds a day, a moment or a duration, as they are written: `2026-03-01`, `2026-03-01T12:00:00Z`, `5 minutes`, `1h 30m`.
fn moment(sentence: &Sentence, shape: &Shape) -> Option<(std::ops::Range<usize>, Value)> {
    const MOST: usize = 4;
    for length in (1..=MOST.min(sentence.words.len())).rev() {
        for start in 0..=sentence.words.len() - length {
            let words: Vec<_> = sentence.words[start..start + length].iter().map(|word| word.plain.to_uppercase()).collect();
            let text = words.join(" ");
            let value = match shape {
                Shape::Date => civil::Date::from_str(&text).ok().map(|date| date.to_string()),
                Shape::Moment => Timestamp::from_str(&text).ok().map(|moment| moment.to_string()),
                Shape::Duration => Span::from_str(&text.to_lowercase()).ok().map(|span| span.to_string()),
                _ => None,
            };
            if let Some(value) = value {
                return Some((start..start + length, value.into()));
            }
        }
    }
    None
}
