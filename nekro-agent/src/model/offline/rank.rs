//! How well a sentence fits a tool, by the words that they have in common: BM25F.
//!
//! Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (2004): a word counts more in a name than in a
//! description, more if few tools have it, and less each time that it occurs again.

use std::collections::{BTreeMap, BTreeSet};

use super::sentence::{Sentence, action, stem};
use crate::model::ToolSpec;

// The constants that are usual.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// How much a word counts by where it stands.
const IN_NAME: f64 = 3.0;
const IN_DESCRIPTION: f64 = 1.0;
const IN_ARGUMENT: f64 = 0.5;

/// The words of a tool, with how much they count.
struct Document {
    words: BTreeMap<String, f64>,
    length: f64,
}

impl Document {
    fn of(tool: &ToolSpec) -> Self {
        let mut document = Self { words: BTreeMap::new(), length: 0.0 };
        document.add(&tool.name.replace(['.', '_', '-'], " "), IN_NAME);
        document.add(&tool.description, IN_DESCRIPTION);
        for (name, argument) in tool.arguments["properties"].as_object().into_iter().flatten() {
            document.add(&name.replace('_', " "), IN_ARGUMENT);
            document.add(argument["description"].as_str().unwrap_or_default(), IN_ARGUMENT);
        }
        document
    }

    fn add(&mut self, text: &str, weight: f64) {
        for word in Sentence::new(text).words.iter().filter(|word| !word.is_empty()) {
            *self.words.entry(word.stem.clone()).or_default() += weight;
            self.length += weight;
        }
    }
}

/// Returns how well a sentence fits each tool. A word that says nothing can be left out.
pub(super) fn rank(sentence: &Sentence, without: Option<usize>, tools: &[ToolSpec]) -> Vec<f64> {
    let documents: Vec<_> = tools.iter().map(Document::of).collect();
    let count = documents.len() as f64;
    let average = (documents.iter().map(|document| document.length).sum::<f64>() / count.max(1.0)).max(1.0);
    let says = sentence.words.iter().enumerate().filter(|(at, word)| !word.is_empty() && without != Some(*at));
    let asked: BTreeSet<_> = says.map(|(_, word)| word.stem.as_str()).collect();
    let rarity = |word: &str| {
        let with = documents.iter().filter(|document| document.words.contains_key(word)).count() as f64;
        (1.0 + (count - with + 0.5) / (with + 0.5)).ln()
    };
    let rarities: Vec<_> = asked.iter().map(|word| (*word, rarity(word))).collect();
    let score = |document: &Document| {
        let of = |(word, rarity): &(&str, f64)| {
            let frequency = document.words.get(*word).copied().unwrap_or_default();
            rarity * frequency * (K1 + 1.0) / (frequency + K1 * (1.0 - B + B * document.length / average))
        };
        rarities.iter().map(of).sum()
    };
    documents.iter().map(score).collect()
}

/// Returns how many of the words in a tool's name the sentence has, apart from what it says is to be done.
pub(super) fn names_it(sentence: &Sentence, tool: &ToolSpec) -> usize {
    let parts: BTreeSet<_> = tool.name.split(['.', '_', '-']).map(stem).collect();
    let verb = sentence.first().filter(|first| action(&sentence.words[*first].stem).is_some());
    let says = |part: &String| sentence.words.iter().enumerate().any(|(at, word)| word.stem == *part && verb != Some(at));
    parts.iter().filter(|part| says(part)).count()
}
