//! Choosing what a person wants.

use serde_json::{Map, Value};

use super::{
    fill::{Filled, fill, read_answer},
    rank::{names_it, rank},
    sentence::{Sentence, action, stem},
    shape::{Slot, slots},
};
use crate::model::ToolSpec;

/// What a person wants.
#[derive(Debug)]
pub(super) enum Choice {
    /// A tool.
    Call { tool: String, arguments: Map<String, Value> },
    /// A tool, and something must be asked before.
    Ask(Question),
    /// No tool, but an answer.
    Say(String),
    /// To know what there is.
    Help,
    /// Something that no tool does.
    Nothing,
}

/// What must be asked before a tool can be called.
#[derive(Clone, Debug)]
pub(super) struct Question {
    tool: String,
    given: Map<String, Value>,
    argument: String,
    description: String,
    // It was answered, and with something else.
    again: bool,
}

impl Question {
    fn new(tool: &ToolSpec, given: Map<String, Value>, slot: &Slot<'_>) -> Self {
        Self {
            tool: tool.name.clone(),
            given,
            argument: slot.name.to_owned(),
            description: slot.description.to_owned(),
            again: false,
        }
    }

    /// Returns the question.
    pub(super) fn text(&self) -> String {
        let again = if self.again { "That does not fit. " } else { "" };
        let separator = if self.description.is_empty() { "." } else { ": " };
        format!("{again}For `{}` I need `{}`{separator}{}", self.tool, self.argument, self.description)
    }
}

/// What speaks for a tool for each word of its name that is said, verbs aside.
const NAMED: f64 = 1.3;
/// What speaks for a tool that does what the verb says.
const SAME_ACTION: f64 = 2.5;
/// What speaks for one whose name says that and nothing else: `save`, and not `add_time`.
const WHOLE_ACTION: f64 = 0.5;
/// What speaks for one whose description has nearly this sentence as an example.
const LIKE_AN_EXAMPLE: f64 = 1.5;
/// What speaks against one for which something is missing.
const MISSING: f64 = 2.0;
/// Below this, words that are there in common are chance.
const LEAST_RANK: f64 = 1.5;
/// Two tools that are closer than this cannot be told apart.
const CLOSE: f64 = 0.2;
/// Verbs that say little: one makes and gets anything.
const VAGUE: [&str; 17] = [
    "make", "create", "add", "write", "get", "read", "look", "set", "show", "print", "post", "list", "display", "fetch", "keep",
    "change", "take",
];

struct Candidate<'t> {
    tool: &'t ToolSpec,
    filled: Filled<'t>,
    score: f64,
}

impl Candidate<'_> {
    /// Returns how many arguments the tool has.
    fn arguments(&self) -> usize {
        self.tool.arguments["properties"].as_object().map_or(0, Map::len)
    }
}

/// Tells whether a question that the description quotes has nearly the words of the sentence.
fn is_like_an_example(sentence: &Sentence, tool: &ToolSpec) -> bool {
    const LEAST: usize = 3;
    tool.description.split('"').skip(1).step_by(2).any(|example| {
        let words = Sentence::new(example).words;
        let same = words.iter().filter(|word| sentence.words.iter().any(|said| said.stem == word.stem)).count();
        words.len() >= LEAST && same * 5 >= words.len() * 4
    })
}

fn plugin(tool: &ToolSpec) -> Option<&str> {
    tool.name.split_once('.').map(|(plugin, _)| plugin)
}

/// Chooses what a sentence asks for.
pub(super) fn choose(sentence: &Sentence, tools: &[ToolSpec]) -> Choice {
    if let Some(choice) = small_talk(sentence) {
        return choice;
    }
    let wanted = sentence.action();
    let verb = sentence.first().filter(|first| action(&sentence.words[*first].stem).is_some());
    let is_vague = |verb: usize| VAGUE.iter().any(|vague| stem(vague) == sentence.words[verb].stem);
    let is_clear = verb.is_some_and(|verb| {
        // "Write down", "keep in mind".
        let written_down = sentence.words.iter().any(|word| matches!(word.plain.as_str(), "down" | "mind"));
        written_down || !is_vague(verb)
    });
    let ranks = rank(sentence, verb.filter(|verb| is_vague(*verb)), tools);
    let mut candidates: Vec<_> = tools
        .iter()
        .zip(ranks)
        .filter_map(|(tool, rank)| {
            let own = tool.name.rsplit('.').next().unwrap_or_default();
            let parts: Vec<_> = own.split(['_', '-']).map(stem).collect();
            let same_action = wanted.is_some() && parts.iter().any(|part| action(part) == wanted);
            let is_whole = parts.iter().all(|part| action(part) == wanted);
            let filled = fill(sentence, tool);
            let names = names_it(sentence, tool);
            let like = is_like_an_example(sentence, tool);
            let is_meant = names > 0 || like || (same_action && is_clear) || filled.evidence >= 3.0 || rank >= LEAST_RANK;
            let score = rank
                + NAMED * names as f64
                + if same_action { SAME_ACTION } else { 0.0 }
                + if same_action && is_whole { WHOLE_ACTION } else { 0.0 }
                + if like { LIKE_AN_EXAMPLE } else { 0.0 }
                + filled.evidence
                - if filled.missing.is_some() { MISSING } else { 0.0 };
            is_meant.then_some(Candidate { tool, filled, score })
        })
        .collect();
    candidates.sort_by(|left, right| right.score.total_cmp(&left.score));
    let mut candidates = candidates.into_iter();
    let Some(best) = candidates.next() else { return Choice::Nothing };
    let second = candidates.next().filter(|second| best.score - second.score < CLOSE);
    // Of two tools of one plugin, the simpler one is meant by whoever says no more.
    let (best, second) = match second {
        Some(second) if plugin(best.tool) == plugin(second.tool) && best.arguments() != second.arguments() => {
            (if best.arguments() < second.arguments() { best } else { second }, None)
        }
        second => (best, second),
    };
    if let Some(second) = second {
        let (best, second) = (&best.tool.name, &second.tool.name);
        return Choice::Say(format!(
            "I cannot tell whether you mean `{best}` or `{second}`. Say it with other words, or call one by its name."
        ));
    }
    let Filled { arguments, missing, .. } = best.filled;
    match missing {
        Some(slot) => Choice::Ask(Question::new(best.tool, arguments, &slot)),
        None => Choice::Call { tool: best.tool.name.clone(), arguments },
    }
}

/// Goes on after a question.
pub(super) fn go_on(question: Question, sentence: &Sentence, tools: &[ToolSpec]) -> Choice {
    let said = sentence.text.trim().trim_end_matches(['.', '!']).to_lowercase();
    if ["no", "cancel", "stop", "never mind", "nevermind", "forget it", "nothing", "leave it"].contains(&said.as_str()) {
        return Choice::Say("All right, I leave it.".to_owned());
    }
    let Some(tool) = tools.iter().find(|tool| tool.name == question.tool) else { return choose(sentence, tools) };
    if let Some(Choice::Help) = small_talk(sentence) {
        return Choice::Help;
    }
    // Somebody who asks for another tool, and says all that it needs, has changed the subject.
    if (sentence.is_command() || sentence.text.trim_end().ends_with('?'))
        && let Choice::Call { tool: other, arguments } = choose(sentence, tools)
        && other != question.tool
    {
        return Choice::Call { tool: other, arguments };
    }
    let slots = slots(&tool.arguments);
    let read = slots.iter().find(|slot| slot.name == question.argument).and_then(|slot| read_answer(sentence, &slot.shape));
    let Some(value) = read else {
        // Whoever says something else twice is not asked a third time.
        return if question.again { choose(sentence, tools) } else { Choice::Ask(Question { again: true, ..question }) };
    };
    let mut given = question.given;
    given.insert(question.argument, value);
    match slots.iter().find(|slot| slot.required && !given.contains_key(slot.name)) {
        Some(slot) => Choice::Ask(Question::new(tool, given, slot)),
        None => Choice::Call { tool: question.tool, arguments: given },
    }
}

/// Answers what needs no tool.
fn small_talk(sentence: &Sentence) -> Option<Choice> {
    let words: Vec<_> = sentence.words.iter().map(|word| word.plain.as_str()).collect();
    let says = |phrase: &str| words.join(" ").contains(phrase);
    let only = |these: &[&str]| !words.is_empty() && words.iter().all(|word| these.contains(word));
    let help = [
        "what can you do",
        "what can i do",
        "what can i ask",
        "who are you",
        "what are you",
        "what do you do",
        "which tools",
        "what tools",
    ];
    if words.first() == Some(&"help") || help.iter().any(|phrase| says(phrase)) {
        return Some(Choice::Help);
    }
    if only(&["hello", "hi", "hey", "good", "morning", "evening", "afternoon", "day", "there", "nekro"]) {
        return Some(Choice::Say(
            "Hello! I am no language model, but I can call tools for you. Ask \"what can you do?\"".to_owned(),
        ));
    }
    if only(&["thanks", "thank", "you", "very", "much", "a", "lot", "cheers", "great"])
        && words.iter().any(|word| word.starts_with("thank") || *word == "cheers")
    {
        return Some(Choice::Say("You are welcome.".to_owned()));
    }
    None
}
