//! What answers on a fresh machine: no key, no network, and no language model.
//!
//! It chooses a tool by the words that a sentence has in common with names and descriptions, takes the arguments out of the sentence by their
//! types, and asks for what is missing. It understands English, and says plainly what it is.

mod choose;
mod example;
mod fill;
mod rank;
mod say;
mod sentence;
mod shape;

use nekro_core::BoxFuture;
use serde_json::{Map, Value};

use self::{choose::Choice, sentence::Sentence};
use super::{Answer, Chunk, Entry, Model, ModelError, Request, Sink, ToolSpec, ToolUse};

/// The model that is none.
pub(crate) struct Offline {
    name: String,
}

impl Offline {
    /// Makes it, under this name.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    fn answer(&self, request: &Request) -> Answer {
        let (text, calls) = match react(request) {
            Reaction::Say(text) => (text, Vec::new()),
            Reaction::Call(calls) => (String::new(), calls),
        };
        let number = |(number, (tool, arguments)): (usize, (String, Map<String, Value>))| ToolUse {
            id: format!("offline-{}-{number}", request.entries.len()),
            tool,
            arguments: Value::Object(arguments).to_string(),
        };
        Answer { model: self.name.clone(), text, calls: calls.into_iter().enumerate().map(number).collect(), ..Answer::default() }
    }
}

impl Model for Offline {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async {
            let answer = self.answer(request);
            if !answer.text.is_empty() {
                sink.chunk(Chunk::Text(&answer.text));
            }
            Ok(answer)
        })
    }
}

/// What it does.
enum Reaction {
    Say(String),
    Call(Vec<(String, Map<String, Value>)>),
}

fn react(request: &Request) -> Reaction {
    let mut results = Vec::new();
    let last = request.entries.iter().rposition(|entry| !matches!(entry, Entry::Notice { .. }));
    // A tool may leave a note behind its result.
    let end = last.filter(|at| matches!(request.entries[*at], Entry::Result { .. })).map_or(request.entries.len(), |at| at + 1);
    for entry in request.entries[..end].iter().rev() {
        match entry {
            Entry::Result { tool, text, failed, .. } => results.push(say::result(tool, text, *failed)),
            _ if !results.is_empty() => {
                results.reverse();
                return Reaction::Say(results.join("\n\n"));
            }
            Entry::Person { text, .. } if !text.trim().is_empty() => return listen(request, text),
            Entry::Person { images, .. } if !images.is_empty() => return Reaction::Say(say::blind()),
            // Nobody asks for anything.
            Entry::Person { .. } | Entry::Notice { .. } | Entry::Answer { .. } => return Reaction::Say(String::new()),
        }
    }
    results.reverse();
    Reaction::Say(results.join("\n\n"))
}

/// Reacts to what a person says last: it may be what was asked for before.
fn listen(request: &Request, text: &str) -> Reaction {
    if let Some(asked) = open_question(request) {
        return answer_of(choose::go_on(asked, &Sentence::new(text), &request.tools), request);
    }
    if let Some(choices) = several(text, &request.tools) {
        return Reaction::Call(choices);
    }
    answer_of(choose::choose(&Sentence::new(text), &request.tools), request)
}

fn answer_of(choice: Choice, request: &Request) -> Reaction {
    match choice {
        Choice::Call { tool, arguments } => Reaction::Call(vec![(tool, arguments)]),
        Choice::Ask(question) => Reaction::Say(question.text()),
        Choice::Say(text) => Reaction::Say(text),
        Choice::Help => Reaction::Say(say::help(&request.tools)),
        Choice::Nothing => Reaction::Say(say::nothing(&request.tools)),
    }
}

/// Takes a sentence apart that asks for several things: each part must be one by itself, and complete.
fn several(text: &str, tools: &[ToolSpec]) -> Option<Vec<(String, Map<String, Value>)>> {
    const MOST: usize = 8;
    [" and then ", ", then ", "; ", " and "].into_iter().find_map(|between| {
        let parts: Vec<_> = text.split(between).collect();
        if parts.len() < 2 || parts.len() > MOST {
            return None;
        }
        // A part that does not begin with what is to be done goes on with what the one before said.
        if !parts.iter().all(|part| Sentence::new(part).is_command()) {
            return None;
        }
        let complete = |part: &&str| match choose::choose(&Sentence::new(part), tools) {
            Choice::Call { tool, arguments } => Some((tool, arguments)),
            _ => None,
        };
        parts.iter().map(complete).collect()
    })
}

/// Returns what was asked and is not answered yet: nothing is remembered, so the conversation is gone through again.
fn open_question(request: &Request) -> Option<choose::Question> {
    const MOST: usize = 6;
    // What was said and answered in turn, without calls, back from the last answer.
    let mut talk: Vec<(&str, &str)> = Vec::new();
    let mut before = request.entries.iter().rev().skip(1).filter(|entry| !matches!(entry, Entry::Notice { .. }));
    while let (Some(Entry::Answer { text: answer, calls }), Some(Entry::Person { text: said, .. })) =
        (before.next(), before.next())
    {
        if !calls.is_empty() || talk.len() == MOST {
            break;
        }
        talk.push((said, answer));
    }
    talk.reverse();
    let mut asked: Option<choose::Question> = None;
    for (said, answer) in talk {
        let sentence = Sentence::new(said);
        let choice = match asked.take() {
            Some(question) => choose::go_on(question, &sentence, &request.tools),
            None => choose::choose(&sentence, &request.tools),
        };
        // If something else was answered, somebody else did.
        asked = match choice {
            Choice::Ask(question) if question.text() == answer => Some(question),
            _ => None,
        };
    }
    asked
}

#[cfg(all(test, feature = "bundle"))]
mod tests;
