//! What a text looks like, by the examples in its description: `such as "90 days"` asks for an amount of time.

use std::{ops::Range, str::FromStr};

use jiff::civil;
use regex_lite::Regex;

use super::sentence::{Sentence, stem};

/// What the examples of an argument show. One may show several: a date, or a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    /// `2030-05-01`, `15:30`, or both; and `today`, if it is among the examples.
    pub(super) time: bool,
    /// `90 days`, `2 weeks ago`.
    pub(super) amount: bool,
    /// `15% of 80`, `2 * (3 + 4)`.
    pub(super) arithmetic: bool,
}

/// What stands where it looks like the examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its words.
    pub(super) words: Range<usize>,
    /// As the examples would write it.
    pub(super) text: String,
    /// Whether the sentence says hardly anything else.
    pub(super) is_all: bool,
}

impl Kinds {
    /// Looks at the examples in a description.
    pub(super) fn of(description: &str) -> Self {
        let mut kinds = Self::default();
        for example in examples(description) {
            let sentence = Sentence::new(example);
            kinds.time |= time(&sentence, &[]).is_some_and(|found| found.is_all);
            kinds.amount |= amount(&sentence).is_some_and(|found| found.is_all);
            kinds.arithmetic |= arithmetic(&sentence).is_some_and(|found| found.is_all);
        }
        kinds
    }

    /// Finds what looks like them.
    pub(super) fn find(self, sentence: &Sentence, description: &str) -> Option<Found> {
        let words: Vec<_> = examples(description).collect();
        let time = self.time.then(|| time(sentence, &words)).flatten();
        time.or_else(|| self.amount.then(|| amount(sentence)).flatten())
            .or_else(|| self.arithmetic.then(|| arithmetic(sentence)).flatten())
    }
}

/// Returns what stands in quotation marks.
fn examples(description: &str) -> impl Iterator<Item = &str> {
    description.split('"').skip(1).step_by(2)
}

fn found(sentence: &Sentence, words: Range<usize>, text: String) -> Found {
    let is_all = (0..sentence.words.len()).all(|at| words.contains(&at) || sentence.words[at].is_empty());
    Found { words, text, is_all }
}

/// Finds a date, a time, both, or one of these words.
fn time(sentence: &Sentence, words: &[&str]) -> Option<Found> {
    let plain = |at: usize| sentence.words.get(at).map_or("", |word| word.plain.as_str());
    let is_date = |at: usize| civil::Date::from_str(plain(at)).is_ok() && plain(at).contains('-');
    let is_time = |at: usize| civil::Time::from_str(plain(at)).is_ok() && plain(at).contains(':');
    let at = |one: &dyn Fn(usize) -> bool| (0..sentence.words.len()).find(|at| one(*at));
    if let Some(date) = at(&is_date) {
        let last = if is_time(date + 1) { date + 1 } else { date };
        let text = (date..=last).map(plain).collect::<Vec<_>>().join(" ");
        return Some(found(sentence, date..last + 1, text));
    }
    let one = at(&is_time).or_else(|| at(&|at| words.contains(&plain(at)) && plain(at) != "now"))?;
    Some(found(sentence, one..one + 1, plain(one).to_owned()))
}

/// Finds an amount of time: numbers, each with a unit, and whether it is past.
fn amount(sentence: &Sentence) -> Option<Found> {
    const UNITS: [&str; 7] = ["second", "minute", "hour", "day", "week", "month", "year"];
    let words = &sentence.words;
    let is_pair = |at: usize| {
        let unit = words.get(at + 1).is_some_and(|word| UNITS.iter().any(|unit| stem(unit) == word.stem));
        unit && words[at].plain.parse::<f64>().is_ok()
    };
    let start = (0..words.len()).find(|at| is_pair(*at))?;
    let mut end = start + 2;
    while is_pair(end) {
        end += 2;
    }
    end += usize::from(words.get(end).is_some_and(|word| word.plain == "ago"));
    let text: Vec<_> = words[start..end].iter().map(|word| word.plain.as_str()).collect();
    Some(found(sentence, start..end, text.join(" ")))
}

/// Finds the longest calculation: at least a number and something that is done with it.
fn arithmetic(sentence: &Sentence) -> Option<Found> {
    const SPOKEN: [(&str, &str); 5] = [("plus", "+"), ("minus", "-"), ("times", "*"), ("divided by", "/"), ("percent", "%")];
    let token = Regex::new(r"\d[\d.,]*|divided by|\w+\s*\(|\w+|[-+*/^%!()×÷−]|\S").expect("it is one");
    let (mut best, mut run): (Option<Run>, Option<Run>) = (None, None);
    for matched in token.find_iter(&sentence.text) {
        let (text, lower) = (matched.as_str(), matched.as_str().to_lowercase());
        let spoken = SPOKEN.iter().find(|(word, _)| *word == lower).map(|(_, sign)| *sign);
        let is_number = text.starts_with(|first: char| first.is_ascii_digit());
        // `of` takes a part of something, and only of a number.
        let is_sign = spoken.is_some() || "-+*/^%!×÷−".contains(text) || lower == "of";
        let fits =
            is_number || is_sign || matches!(text, "(" | ")") || text.ends_with('(') || ["pi", "e"].contains(&lower.as_str());
        let continues = run
            .as_ref()
            .is_some_and(|run| run.end == matched.start() || sentence.text[run.end..matched.start()].trim().is_empty());
        if !fits || !continues {
            best = best.into_iter().chain(run.take().and_then(Run::complete)).max_by_key(|run| run.tokens);
        }
        // Neither `d6` nor `6d` has a number.
        let glued = sentence.text[..matched.start()].ends_with(|before: char| before.is_alphanumeric() || before == ':');
        if fits && (run.is_some() || ((is_number || text.ends_with('(') || matches!(text, "(" | "-")) && !glued)) {
            let run = run.get_or_insert_with(|| Run::at(matched.start()));
            run.push(matched.end(), spoken.unwrap_or(text.trim_end_matches(['.', ','])), is_number, is_sign);
        }
    }
    let run = best.into_iter().chain(run.and_then(Run::complete)).max_by_key(|run| run.tokens)?;
    let after = sentence.text[run.end..].chars().next();
    if after.is_some_and(|after| after.is_alphanumeric() || after == ':')
        || civil::Date::from_str(&run.text.replace(' ', "")).is_ok()
    {
        return None;
    }
    let within = |at: &usize| (run.start..run.end).contains(&sentence.words[*at].start);
    let words: Vec<_> = (0..sentence.words.len()).filter(within).collect();
    let (first, last) = (*words.first()?, *words.last()?);
    Some(found(sentence, first..last + 1, run.text))
}

/// A part of a sentence that may be a calculation.
struct Run {
    start: usize,
    end: usize,
    text: String,
    tokens: usize,
    numbers: usize,
    signs: usize,
    ends_in_sign: bool,
}

impl Run {
    fn at(start: usize) -> Self {
        Self { start, end: start, text: String::new(), tokens: 0, numbers: 0, signs: 0, ends_in_sign: false }
    }

    fn push(&mut self, end: usize, text: &str, is_number: bool, is_sign: bool) {
        if !self.text.is_empty() && !matches!(text, ")" | "%" | "!") && !self.text.ends_with('(') {
            self.text.push(' ');
        }
        self.text.push_str(text);
        (self.end, self.tokens) = (end, self.tokens + 1);
        self.numbers += usize::from(is_number);
        self.signs += usize::from(is_sign || text.ends_with('('));
        self.ends_in_sign = is_sign && !matches!(text, "%" | "!");
    }

    /// Returns it, if it can be calculated as far as one sees.
    fn complete(self) -> Option<Self> {
        (self.numbers > 0 && self.signs > 0 && !self.ends_in_sign).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_show_what_an_argument_looks_like() {
        let kinds = |description: &str| Kinds::of(description);
        assert_eq!(kinds(r#"What to add, such as "90 days" or "2 weeks ago"."#), Kinds { amount: true, ..Kinds::default() });
        assert_eq!(kinds(r#"Such as "2030-05-01", "15:30" or "today"."#), Kinds { time: true, ..Kinds::default() });
        assert_eq!(kinds(r#"Such as "(3 + 4) * 2^10" or "15% of 80"."#), Kinds { arithmetic: true, ..Kinds::default() });
        for none in ["", "The city.", r#"Such as "Berlin"."#, r#"Such as "2d6"."#, r#"A quotation " alone"#, r#"Such as "12"."#] {
            assert_eq!(kinds(none), Kinds::default(), "{none}");
        }
    }

    #[test]
    fn a_calculation_is_found_in_a_sentence() {
        for (text, expected) in [
            ("what is 15% of 80", Some("15% of 80")),
            ("12 * (3+4)", Some("12 * (3 + 4)")),
            ("how much is 12 plus 30?", Some("12 + 30")),
            ("please calculate sqrt(2) * -3", Some("sqrt(2) * - 3")),
            ("3 times 7 divided by 2", Some("3 * 7 / 2")),
            ("2^10", Some("2 ^ 10")),
            ("1,200.50 minus 1", Some("1,200.50 - 1")),
            ("it is 5!", Some("5!")),
            ("roll 2d6+1", None),
            ("2026-12-25", None),
            ("at 15:30", None),
            ("12 of them", None),
            ("in 90 days", None),
            ("+", None),
            ("5 +", None),
        ] {
            assert_eq!(arithmetic(&Sentence::new(text)).map(|found| found.text).as_deref(), expected, "{text}");
        }
    }
}
